# No secret stands in a manifest: manifests are stored, shown and mailed. External Secrets bring them.
package main

import rego.v1

import data.pods

# Patterns are held against lower case.
names := `(password|passwd|secret|token|access[-_.]?key|private[-_.]?key|credential)`

# name=value or name: value, where the value is no reference (${...}, $(...), {{...}}), no path and not empty.
assigned := `(password|passwd|secret-?key|token|access-?key)["']?(\s*=|:)\s*[\\"']*[^\s\\"'$<{/]`

# The same in Hadoop's XML.
in_xml := `(password|secret[.]key|access[.]key)</name>\s*<value>[^$<\s]`

in_an_address := `://[^/\s:@$"]+:[^/\s@$"]+@`

deny contains message if {
	some document in pods.documents
	document.kind == "Secret"
	some field in ["data", "stringData"]
	count(object.get(document, field, {})) > 0
	message := sprintf("secret: %s carries its secrets itself: make it an ExternalSecret", [pods.name(document)])
}

deny contains message if {
	some entry in pods.containers
	some variable in object.get(entry.container, "env", [])
	regex.match(names, lower(variable.name))
	value := object.get(variable, "value", "")
	not value in {"", "true", "false"}
	not startswith(value, "/")
	message := sprintf("secret: %s: %s has %s in the manifest: take it from a secret", [entry.of, entry.container.name, variable.name])
}

deny contains message if {
	some document in pods.documents
	document.kind == "ConfigMap"
	some file, text in object.get(document, "data", {})
	some pattern in [assigned, in_xml]
	regex.match(pattern, lower(text))
	message := sprintf("secret: %s: %s says a password or a key", [pods.name(document), file])
}

deny contains message if {
	some document in pods.documents
	walk(document, [_, text])
	is_string(text)
	regex.match(in_an_address, text)
	message := sprintf("secret: %s: an address in it carries a password", [pods.name(document)])
}

# Connectors' and jobs' own settings.
deny contains message if {
	some document in pods.documents
	document.kind in {"KafkaConnector", "KafkaConnect"}
	some key, value in object.get(document.spec, "config", {})
	regex.match(`(password|secret|connection[.]string)`, lower(key))
	not contains(value, "${")
	message := sprintf("secret: %s: %s is no reference", [pods.name(document), key])
}
