# Pod Security "restricted", before an API server says so: not root, no way up, nothing of the node's.
package main

import rego.v1

import data.pods

deny contains message if {
	some pod in pods.all
	not pod.spec.securityContext.runAsNonRoot
	message := sprintf("security: %s may run as root (runAsNonRoot)", [pod.of])
}

deny contains message if {
	some pod in pods.all
	not object.get(object.get(object.get(pod.spec, "securityContext", {}), "seccompProfile", {}), "type", "") in {"RuntimeDefault", "Localhost"}
	message := sprintf("security: %s has no seccompProfile", [pod.of])
}

deny contains message if {
	some pod in pods.all
	some what in ["hostNetwork", "hostPID", "hostIPC"]
	pod.spec[what]
	message := sprintf("security: %s shares the node's (%s)", [pod.of, what])
}

deny contains message if {
	some pod in pods.all
	some volume in object.get(pod.spec, "volumes", [])
	volume.hostPath
	message := sprintf("security: %s mounts the node's %s", [pod.of, volume.hostPath.path])
}

deny contains message if {
	some entry in pods.containers
	object.get(context(entry.container), "allowPrivilegeEscalation", true)
	message := sprintf("security: %s: %s may gain privileges (allowPrivilegeEscalation)", [entry.of, entry.container.name])
}

deny contains message if {
	some entry in pods.containers
	not "ALL" in object.get(object.get(context(entry.container), "capabilities", {}), "drop", [])
	message := sprintf("security: %s: %s keeps capabilities (drop ALL)", [entry.of, entry.container.name])
}

deny contains message if {
	some entry in pods.containers
	some what in ["privileged", "runAsUser"]
	is_roots(what, context(entry.container))
	message := sprintf("security: %s: %s runs as root (%s)", [entry.of, entry.container.name, what])
}

deny contains message if {
	some document in pods.documents
	document.kind == "KafkaConnect"
	not document.spec.template.pod.securityContext.runAsNonRoot
	message := sprintf("security: %s may run as root (runAsNonRoot)", [pods.name(document)])
}

# A namespace of ours enforces it, so that what an operator makes has to meet it, too.
deny contains message if {
	some document in pods.documents
	document.kind == "Namespace"
	not object.get(object.get(document.metadata, "labels", {}), "pod-security.kubernetes.io/enforce", "") in {"restricted", "baseline", "privileged"}
	message := sprintf("security: %s enforces no Pod Security", [pods.name(document)])
}

context(container) := object.get(container, "securityContext", {})

is_roots("privileged", context) if context.privileged

is_roots("runAsUser", context) if context.runAsUser == 0
