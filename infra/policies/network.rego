# Nobody talks to anybody unless a policy says so: each namespace of ours is closed as a whole, and each pod is chosen by
# a policy of its namespace.
package main

import rego.v1

import data.pods

policies contains document if {
	some document in pods.documents
	document.kind == "NetworkPolicy"
}

deny contains message if {
	some document in pods.documents
	document.kind == "Namespace"
	not is_closed(document.metadata.name)
	message := sprintf("network: namespace %s has no NetworkPolicy for all of its pods", [document.metadata.name])
}

deny contains message if {
	some pod in pods.all
	not is_chosen(pod.namespace, pod.labels)
	message := sprintf("network: %s in namespace %s is chosen by no NetworkPolicy", [pod.of, pod.namespace])
}

deny contains message if {
	some document in pods.documents
	document.kind == "KafkaConnect"
	not is_chosen(pods.namespace(document), {"strimzi.io/cluster": document.metadata.name, "strimzi.io/kind": "KafkaConnect"})
	message := sprintf("network: %s is chosen by no NetworkPolicy", [pods.name(document)])
}

is_closed(namespace) if {
	some policy in policies
	policy.metadata.namespace == namespace
	policy.spec.podSelector == {}
	"Ingress" in policy.spec.policyTypes
}

is_chosen(namespace, labels) if {
	some policy in policies
	policy.metadata.namespace == namespace
	every label, value in object.get(policy.spec.podSelector, "matchLabels", {}) {
		labels[label] == value
	}
}
