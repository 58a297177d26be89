# Every container says what it needs and what it may take: without requests it is put where there is no room, without
# limits it takes its neighbours'.
package main

import rego.v1

import data.pods

deny contains message if {
	some entry in pods.containers
	not pods.is_flinks(entry.container)
	some kind in ["requests", "limits"]
	some what in ["cpu", "memory"]
	not says(entry.container, kind, what)
	message := sprintf("resources: %s: %s has no %s of %s", [entry.of, entry.container.name, kind, what])
}

deny contains message if {
	some document in pods.documents
	document.kind in {"KafkaConnect", "KafkaNodePool"}
	some kind in ["requests", "limits"]
	some what in ["cpu", "memory"]
	not says(document.spec, kind, what)
	message := sprintf("resources: %s has no %s of %s", [pods.name(document), kind, what])
}

deny contains message if {
	some document in pods.documents
	document.kind == "FlinkDeployment"
	some part in ["jobManager", "taskManager"]
	some what in ["cpu", "memory"]
	not document.spec[part].resource[what]
	message := sprintf("resources: %s: its %s has no %s", [pods.name(document), part, what])
}

says(thing, kind, what) if thing.resources[kind][what]
