#!/usr/bin/env bash
# Says whether changes arrive: Kafka Connect, its connectors and their tasks, topics, users, the lag behind MongoDB, and
# the bronze job. Changes nothing. Exits 1 when something is not well, with a line for each thing and how to look at it.
set -euo pipefail

kafka_namespace=kafka
mesh_namespace=data-mesh
connect=wms-kafka
job=bronze
max_lag=60 # seconds: the requirements' alert
wait_seconds=0

usage() {
    cat <<EOF
Usage: setup-connectors.sh [OPTION]...

  --kafka-namespace NAME  where Kafka and Connect are (default $kafka_namespace)
  --namespace NAME        where the bronze job is (default $mesh_namespace)
  --connect NAME          the KafkaConnect's name (default $connect)
  --max-lag SECONDS       how far capture may be behind MongoDB (default $max_lag)
  --wait SECONDS          look again until all is well, for so long (default $wait_seconds)
  -h, --help              this text
EOF
}

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            usage
            exit
            ;;
        --kafka-namespace | --namespace | --connect | --max-lag | --wait)
            [ $# -gt 1 ] || fail "$1 wants a value: see --help."
            case $1 in
                --kafka-namespace) kafka_namespace=$2 ;;
                --namespace) mesh_namespace=$2 ;;
                --connect) connect=$2 ;;
                --max-lag) max_lag=$2 ;;
                --wait) wait_seconds=$2 ;;
            esac
            shift
            ;;
        *) fail "There is no option $1: see --help." ;;
    esac
    shift
done
for number in "$max_lag" "$wait_seconds"; do
    case $number in '' | *[!0-9]*) fail "'$number' is no whole number of seconds." ;; esac
done
command -v kubectl >/dev/null || fail "kubectl is not on the PATH: install Kubernetes' own client."
kubectl version --request-timeout 10s >/dev/null 2>&1 ||
    fail "kubectl reaches no cluster: look at \`kubectl config current-context\`."

problems=0
good() { printf 'ok    %s\n' "$*"; }
bad() {
    printf 'BAD   %s\n' "$1"
    printf '      look: %s\n' "$2"
    problems=$((problems + 1))
}

# name, Ready's status, its message; a line for each resource of a kind.
conditions() {
    kubectl get "$1" --namespace "$kafka_namespace" --selector app.kubernetes.io/part-of=wms-mesh --output \
        'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.conditions[?(@.type=="Ready")].status}{"\t"}{.status.conditions[?(@.type!="Ready")].message}{"\n"}{end}'
}

check_ready() {
    local kind=$1 what=$2 name status message count=0 before=$problems
    while IFS=$'\t' read -r name status message; do
        [ -n "$name" ] || continue
        count=$((count + 1))
        [ "$status" = True ] ||
            bad "$what $name is not ready${message:+: $message}" "kubectl describe $kind $name --namespace $kafka_namespace"
    done < <(conditions "$kind")
    if [ "$count" -eq 0 ]; then
        bad "there is no $what" "deploy-data-mesh.sh debezium"
    elif [ "$problems" -eq "$before" ]; then
        good "$count ${what}s ready"
    fi
}

check_tasks() {
    local name state tasks task
    while IFS=$'\t' read -r name state tasks; do
        [ -n "$name" ] || continue
        if [ "$state" != RUNNING ]; then
            bad "connector $name is ${state:-unknown}" "kubectl logs --namespace $kafka_namespace ${connect}-connect-0"
        elif [ -z "$tasks" ]; then
            bad "connector $name has no task" "kubectl describe kafkaconnector $name --namespace $kafka_namespace"
        fi
        for task in $tasks; do
            [ "$task" = RUNNING ] ||
                bad "a task of connector $name is $task" "kubectl describe kafkaconnector $name --namespace $kafka_namespace"
        done
    done < <(kubectl get kafkaconnector --namespace "$kafka_namespace" --selector app.kubernetes.io/part-of=wms-mesh \
        --output 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.connectorStatus.connector.state}{"\t"}{.status.connectorStatus.tasks[*].state}{"\n"}{end}')
}

# The worker that runs the task tells of it; the others have no such line.
check_lag() {
    local pod lag lags=
    for pod in $(kubectl get pods --namespace "$kafka_namespace" --output name \
        --selector "strimzi.io/cluster=$connect,strimzi.io/kind=KafkaConnect"); do
        lags+=$(kubectl exec --namespace "$kafka_namespace" "$pod" -- curl --silent --max-time 10 http://localhost:9404/metrics |
            awk '/^debezium_mongodb_streaming_seconds_behind_source[{ ]/ { print $NF }' || true)$'\n'
    done
    lag=$(printf '%s' "$lags" | awk 'NF && $1 + 0 > most { most = $1 + 0 } NF { seen = 1 } END { if (seen) printf "%d", most }')
    if [ -z "$lag" ]; then
        bad "no worker tells how far behind MongoDB it is" \
            "kubectl exec --namespace $kafka_namespace ${connect}-connect-0 -- curl -s http://localhost:9404/metrics"
    elif [ "$lag" -gt "$max_lag" ]; then
        bad "capture is $lag s behind MongoDB, $max_lag are allowed" "docs/runbooks/on-a-cluster.md#debezium-not-capturing-changes"
    else
        good "capture is $lag s behind MongoDB"
    fi
}

check_job() {
    local state
    state=$(kubectl get flinkdeployment "$job" --namespace "$mesh_namespace" --ignore-not-found \
        --output 'jsonpath={.status.jobStatus.state}')
    if [ "$state" = RUNNING ]; then
        good "the bronze job runs"
    else
        bad "the bronze job is ${state:-not there}" "kubectl describe flinkdeployment $job --namespace $mesh_namespace"
    fi
}

deadline=$((SECONDS + wait_seconds))
while :; do
    problems=0
    check_ready kafkaconnect 'Connect cluster'
    check_ready kafkatopic topic
    check_ready kafkauser user
    check_ready kafkaconnector connector
    check_tasks
    check_lag
    check_job
    [ "$problems" -gt 0 ] && [ "$SECONDS" -lt "$deadline" ] || break
    printf 'Looking again in 10 s.\n'
    sleep 10
done
if [ "$problems" -gt 0 ]; then
    printf '%s things are not well.\n' "$problems" >&2
    exit 1
fi
