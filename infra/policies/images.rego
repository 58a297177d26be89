# An image is pinned: by an exact tag, or by a digest. What `latest` is tomorrow nobody has tested.
package main

import rego.v1

import data.pods

pinned := `^[^@:]+(:[0-9]+/[^@:]+)?:[A-Za-z0-9_][A-Za-z0-9._-]*(@sha256:[0-9a-f]{64})?$`

by_digest := `^[^@]+@sha256:[0-9a-f]{64}$`

deny contains message if {
	some entry in pods.containers
	not pods.is_flinks(entry.container)
	not is_pinned(entry.container.image)
	message := sprintf("image: %s: %s runs '%s', which is no exact tag and no digest", [entry.of, entry.container.name, entry.container.image])
}

# Operators make pods of these.
deny contains message if {
	some document in pods.documents
	document.kind in {"KafkaConnect", "FlinkDeployment"}
	not is_pinned(document.spec.image)
	message := sprintf("image: %s runs '%s', which is no exact tag and no digest", [pods.name(document), document.spec.image])
}

deny contains message if {
	some document in pods.documents
	document.kind in {"KafkaConnect", "FlinkDeployment"}
	not document.spec.image
	message := sprintf("image: %s names none, so its operator chooses one", [pods.name(document)])
}

is_pinned(image) if {
	regex.match(pinned, image)
	not endswith(image, ":latest")
}

is_pinned(image) if regex.match(by_digest, image)
