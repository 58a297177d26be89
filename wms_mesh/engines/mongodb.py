"""MongoDB: the one at MESH_MONGODB_URI, else a `mongod` on the PATH, else the stand-in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import CollectionInvalid, OperationFailure, PyMongoError

from ingest.collections import COLLECTIONS
from ingest.connector.config import database
from wms_mesh import mongodb_standin
from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

REPLICA_SET = "rs0"
# Pre-images came with 6.0, the splitting of large events with 6.0.9.
OLDEST_VERSION = (6, 0, 9)
IMAGES = {"enabled": True}
_UNAUTHORIZED = 13


def connection_string(stack: Stack) -> str:
    """Where the documents are."""
    return stack.mongodb_uri or f"mongodb://{stack.address('mongodb')}/?replicaSet={REPLICA_SET}"


class MongoDb(Engine):
    """Ready when the captured collections exist with pre-images, and an inserted document can be read."""

    name = "mongodb"
    memory_mb = 512
    ports = ("mongodb",)

    def external(self) -> bool:
        return self.stack.mongodb_uri is not None

    def prepare(self) -> None:
        """Nothing to render: both servers take their few settings as arguments."""
        if _mongod() is None:
            mongodb_standin.classes(self.stack)

    def command(self) -> Command:
        data = self.stack.data(self.name)
        port = self.stack.port(self.name)
        mongod = _mongod()
        if mongod is None:
            file = data / "standin.mv"
            return Command(argv=mongodb_standin.command(self.stack, port, file), cwd=data)
        files = data / "mongod"
        files.mkdir(exist_ok=True)
        argv = [mongod, "--replSet", REPLICA_SET, "--bind_ip", "127.0.0.1", "--port", str(port), "--dbpath", str(files)]
        # A quarter of a gigabyte is its least; an oplog of 1 GB holds days of the simulator.
        argv += ["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "1024", "--nounixsocket"]
        return Command(argv=argv, cwd=data)

    def check(self) -> None:
        try:
            with self._client() as client:
                if not self.external():
                    self._initiate(client)
                self._require_replica_set(client)
                self._keep_collections(client)
                if self.external():
                    client.admin.command("ping")  # nothing of ours is written into somebody else's database
                else:
                    _insert_and_read(client)
        except PyMongoError as error:
            raise NotReady(f"it does not answer: {str(error).partition(',')[0]}") from error

    def detail(self) -> dict[str, object]:
        embedded = "mongod" if _mongod() else "MongoDB stand-in"
        return {"server": "yours (MESH_MONGODB_URI)" if self.external() else embedded}

    @contextmanager
    def _client(self) -> Iterator[MongoClient[dict[str, Any]]]:
        # Direct to the embedded one: before it is initiated there is no primary to find.
        uri = self.stack.mongodb_uri or f"mongodb://{self.stack.address(self.name)}/?directConnection=true"
        client: MongoClient[dict[str, Any]] = MongoClient(uri, serverSelectionTimeoutMS=3_000, appname="mesh")
        try:
            yield client
        finally:
            client.close()

    def _initiate(self, client: MongoClient[dict[str, Any]]) -> None:
        if "setName" in client.admin.command("hello"):
            return
        members = [{"_id": 0, "host": self.stack.address(self.name)}]
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})

    def _require_replica_set(self, client: MongoClient[dict[str, Any]]) -> None:
        hello = client.admin.command("hello")
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise MeshError(
                "MESH_MONGODB_URI is a single server without change streams: start it as a replica set (rs.initiate())."
            )
        if not hello.get("isWritablePrimary"):
            raise NotReady("there is no primary yet")
        version = tuple(client.server_info()["versionArray"][:3])
        if self.external() and version < OLDEST_VERSION:
            raise MeshError(
                f"MongoDB {'.'.join(map(str, version))} is too old: pre-images and large changes need 6.0.9 or newer."
            )

    def _keep_collections(self, client: MongoClient[dict[str, Any]]) -> None:
        """Create the captured collections, or have their changes carry the document as it was before."""
        databases: dict[str, dict[str, dict[str, Any]]] = {}
        for collection in COLLECTIONS:
            name = database(collection, self.stack.naming)
            try:
                if name not in databases:
                    databases[name] = {one["name"]: one.get("options", {}) for one in client[name].list_collections()}
                options = databases[name].get(collection.name)
                if options is None:
                    client[name].create_collection(collection.name, changeStreamPreAndPostImages=IMAGES)
                elif options.get("changeStreamPreAndPostImages") != IMAGES:
                    client[name].command("collMod", collection.name, changeStreamPreAndPostImages=IMAGES)
            except CollectionInvalid:
                raise NotReady(f"{name}.{collection.name} was created at the same time") from None
            except OperationFailure as error:
                if error.code != _UNAUTHORIZED:
                    raise
                raise MeshError(
                    f"The user of MESH_MONGODB_URI may not create or change {name}.{collection.name}: give it dbAdmin "
                    f"on {name}, or enable changeStreamPreAndPostImages on that collection yourself."
                ) from error


def _insert_and_read(client: MongoClient[dict[str, Any]]) -> None:
    probe = client["mesh"]["probe"]
    written = probe.insert_one({}).inserted_id
    if probe.find_one({"_id": written}) is None:
        raise NotReady("an inserted document cannot be read")
    probe.delete_one({"_id": written})


def _mongod() -> str | None:
    return shutil.which("mongod")
