# What the policies look at: every pod that the manifests make, whoever makes it of them.
#
# Input as `conftest test --combine` gives it: a list of {path, contents}. By hand:
#   helm template infra/helm/charts/wms-mesh | conftest test --combine --policy infra/policies -
package pods

import rego.v1

documents contains file.contents if some file in input

# Pods of Kubernetes' own kinds.
all contains {"of": name(document), "namespace": namespace(document), "labels": labels, "spec": template.spec} if {
	some document in documents
	document.kind in {"Deployment", "StatefulSet", "DaemonSet", "Job"}
	template := document.spec.template
	labels := object.get(object.get(template, "metadata", {}), "labels", {})
}

# The JobManager's and the TaskManager's pods: Flink adds the label `app` with the deployment's name.
all contains {"of": sprintf("%s %s", [name(document), part]), "namespace": namespace(document), "labels": labels, "spec": template.spec} if {
	some document in documents
	document.kind == "FlinkDeployment"
	some part in ["jobManager", "taskManager"]
	template := document.spec[part].podTemplate
	labels := object.union(template.metadata.labels, {"app": document.metadata.name})
}

# Every container, with the pod that it is in.
containers contains {"of": pod.of, "pod": pod.spec, "container": container} if {
	some pod in all
	some list in ["initContainers", "containers"]
	some container in object.get(pod.spec, list, [])
}

# Flink sizes its own container by the deployment's `resource`, and takes its image from there.
is_flinks(container) if container.name == "flink-main-container"

name(document) := sprintf("%s %s", [document.kind, document.metadata.name])

namespace(document) := document.metadata.namespace

namespace(document) := "default" if not document.metadata.namespace
