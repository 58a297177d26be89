"""The lakehouse's buckets, one for each layer that stores files."""

from __future__ import annotations

import requests

from wms_mesh import object_store
from wms_mesh.engines.base import Duty, NotReady


class Buckets(Duty):
    """Every bucket of ``object_store.BUCKETS`` exists."""

    name = "buckets"
    needs = ("s3",)

    def ensure(self) -> None:
        for bucket in self._missing():
            try:
                object_store.request(self.stack, "PUT", bucket)
            except requests.RequestException as error:
                raise NotReady(f"bucket {bucket} cannot be made ({error})") from error

    def check(self) -> None:
        missing = self._missing()
        if missing:
            raise NotReady(f"no bucket {', '.join(missing)}")

    def _missing(self) -> list[str]:
        missing = []
        for bucket in object_store.BUCKETS:
            try:
                object_store.request(self.stack, "HEAD", bucket)
            except requests.HTTPError as error:
                if error.response.status_code != requests.codes.not_found:
                    raise NotReady(f"bucket {bucket} cannot be looked at ({error})") from error
                missing.append(bucket)
            except requests.RequestException as error:
                raise NotReady(f"the object store does not answer ({type(error).__name__})") from error
        return missing
