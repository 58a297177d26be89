#!/usr/bin/env bash
# Deploys the WMS Data Mesh, or one component of it, with kubectl and helm (3.14 or newer).
# What, in which version and in which order stands in ../helm/helmfile.yaml; nothing of that is said here.
set -euo pipefail

helm_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../helm" && pwd -P)
helmfile=$helm_folder/helmfile.yaml
environment=dev
dry_run=
list=
timeout=15m
components=()

usage() {
    cat <<EOF
Usage: deploy-data-mesh.sh [OPTION]... [COMPONENT]...

Deploys the components named, and nothing else; all of them, in their order, when none is named. Running it again
changes only what differs.

Components: $(releases | cut -f 1 | awk '!seen[$0]++' | paste -s -d ' ')

  -e, --environment NAME  dev (one of everything, its own Kafka, node ports; the default) or prod
  -n, --dry-run           render and say what would be done; the cluster is not changed
  -t, --timeout DURATION  how long to wait for one release (default $timeout)
  -l, --list              print the releases (component, name, namespace, chart, version, needs) and end
  -h, --help              this text

Needs External Secrets and a store named data-mesh in the cluster: charts/wms-mesh/values.yaml lists what it must hold.
EOF
}

# A line for each release: component, name, namespace, chart, version, needs (by commas or -), values (by commas).
releases() {
    awk '
        function value(line) { sub(/^[^:]*: */, "", line); return line }
        function items(line) { gsub(/[][ '"'"']/, "", line); return line == "" ? "-" : line }
        /^releases:/ { inside = 1 }
        inside && /^    - name: / { name = value($0) }
        inside && /^      labels: / { component = $0; sub(/.*component: */, "", component); sub(/}.*/, "", component) }
        inside && /^      namespace: / { namespace = value($0) }
        inside && /^      chart: / { chart = value($0) }
        inside && /^      version: / { version = value($0) }
        inside && /^      needs: / { needs = items(value($0)) }
        inside && /^      values: / {
            values = value($0); gsub(/\{\{ \.Environment\.Name \}\}/, "@", values); values = items(values)
            print component "\t" name "\t" namespace "\t" chart "\t" version "\t" needs "\t" values
        }
    ' "$helmfile"
}

# A line for each repository: name and address.
repositories() {
    awk '
        /^repositories:/ { inside = 1; next }
        /^[a-z]/ { inside = 0 }
        inside && /- name: / { name = $3 }
        inside && /url: / { print name "\t" $2 }
    ' "$helmfile"
}

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null || fail "$1 is not on the PATH: install it ($2)."
}

# Adds the repository of a chart, once.
know_chart() {
    local repository=${1%%/*} name address
    case $1 in ./* | oci:*) return ;; esac
    while IFS=$'\t' read -r name address; do
        if [ "$name" = "$repository" ]; then
            helm repo add --force-update "$name" "$address" >/dev/null || fail "helm cannot reach the charts of $name."
            return
        fi
    done < <(repositories)
    fail "helmfile.yaml names no repository '$repository' for the chart $1."
}

# What helm does not wait for: custom resources, whose operators do the work.
wait_for_resources() {
    local name=$1 namespace=$2
    case $name in
        debezium)
            kubectl wait --namespace "$namespace" --timeout "$timeout" --for condition=Ready kafkatopic,kafkauser \
                --selector app.kubernetes.io/part-of=wms-mesh &&
                kubectl wait --namespace "$namespace" --timeout "$timeout" --for condition=Ready \
                    kafkaconnect,kafkaconnector --selector app.kubernetes.io/part-of=wms-mesh
            ;;
        kafka)
            if kubectl get --namespace "$namespace" kafka --output name 2>/dev/null | grep -q .; then
                kubectl wait --namespace "$namespace" --timeout "$timeout" --for condition=Ready kafka --all
            fi
            ;;
        flink)
            kubectl wait --namespace "$namespace" --timeout "$timeout" \
                --for 'jsonpath={.status.lifecycleState}=STABLE' flinkdeployment/bronze
            ;;
    esac
}

# What a person looks at first when a release failed.
explain() {
    local component=$1 name=$2 namespace=$3
    {
        say
        say "$name failed. What is not well in namespace $namespace:"
        kubectl get pods --namespace "$namespace" --no-headers 2>/dev/null |
            awk '{ split($2, ready, "/") } $3 != "Completed" && (ready[1] != ready[2] || $3 != "Running") { print "    " $0 }' || true
        kubectl get events --namespace "$namespace" --field-selector type=Warning --sort-by .lastTimestamp --no-headers \
            2>/dev/null | tail -n 5 | sed 's/^/    /' || true
        say "How to look further:"
        say "    helm status $name --namespace $namespace"
        say "    kubectl describe pods --namespace $namespace   # the events at its end"
        say "    kubectl logs --namespace $namespace POD --all-containers --previous"
        case $name in
            debezium) say "    kubectl describe kafkaconnect,kafkaconnector,kafkatopic,kafkauser --namespace $namespace" ;;
            flink) say "    kubectl describe flinkdeployment bronze --namespace $namespace" ;;
            platform) say "    kubectl get externalsecrets --all-namespaces   # what the store did not give" ;;
        esac
        say "Then the same again: $0 --environment $environment $component"
        say "What the usual reasons are: docs/runbooks/on-a-cluster.md"
    } >&2
}

deploy() {
    local component=$1 name=$2 namespace=$3 chart=$4 version=$5 values=$6 file
    local arguments=(upgrade --install "$name" "$chart" --namespace "$namespace" --create-namespace)
    case $chart in ./*) ;; *) arguments+=(--version "$version") ;; esac
    for file in ${values//,/ }; do
        arguments+=(--values "${file/@/$environment}")
    done
    if [ -n "$dry_run" ]; then
        say "$component: helm ${arguments[*]}"
        helm "${arguments[@]}" --dry-run=client >/dev/null || return 1
        return
    fi
    say "$component: $name ($chart $version) to namespace $namespace"
    helm "${arguments[@]}" --wait --wait-for-jobs --timeout "$timeout" >/dev/null || return 1
    wait_for_resources "$name" "$namespace"
}

while [ $# -gt 0 ]; do
    case $1 in
        -e | --environment)
            [ $# -gt 1 ] || fail "$1 wants a name: dev or prod."
            environment=$2
            shift
            ;;
        -t | --timeout)
            [ $# -gt 1 ] || fail "$1 wants a duration, such as 15m."
            timeout=$2
            shift
            ;;
        -n | --dry-run) dry_run=yes ;;
        -l | --list) list=yes ;;
        -h | --help)
            usage
            exit
            ;;
        -*) fail "There is no option $1: see --help." ;;
        *) components+=("$1") ;;
    esac
    shift
done

case $environment in dev | prod) ;; *) fail "There is no environment '$environment': choose dev or prod." ;; esac
for component in ${components[@]+"${components[@]}"}; do
    releases | cut -f 1 | grep -qx -- "$component" ||
        fail "There is no component '$component': choose from $(releases | cut -f 1 | awk '!seen[$0]++' | paste -s -d ' ')."
done
if [ -n "$list" ]; then
    releases | cut -f 1-6
    exit
fi

need kubectl "Kubernetes' own client"
need helm "3.14 or newer"
kubectl version --request-timeout 10s >/dev/null 2>&1 ||
    fail "kubectl reaches no cluster: look at \`kubectl config current-context\` and \`kubectl cluster-info\`."
kubectl get crd externalsecrets.external-secrets.io >/dev/null 2>&1 ||
    fail "The cluster has no External Secrets (crd externalsecrets.external-secrets.io), from which all passwords come: install it first."

cd "$helm_folder"
done_with=0
while IFS=$'\t' read -r component name namespace chart version _ values; do
    wanted=yes
    if [ ${#components[@]} -gt 0 ]; then
        wanted=
        for one in "${components[@]}"; do
            [ "$one" != "$component" ] || wanted=yes
        done
    fi
    [ -n "$wanted" ] || continue
    know_chart "$chart"
    if ! deploy "$component" "$name" "$namespace" "$chart" "$version" "$values" </dev/null; then
        explain "$component" "$name" "$namespace"
        exit 1
    fi
    done_with=$((done_with + 1))
done < <(releases)

if [ -n "$dry_run" ]; then
    say "$done_with releases would be deployed to $(kubectl config current-context 2>/dev/null || echo 'the cluster'); nothing was changed."
else
    say "$done_with releases are deployed. Next: $(dirname "$0")/setup-connectors.sh"
fi
