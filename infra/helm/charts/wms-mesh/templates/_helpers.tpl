{{/* Whether a part of the chart belongs to this release: include "mesh.has" (list . "flink"). */}}
{{- define "mesh.has" -}}
{{- $root := index . 0 -}}
{{- if has $root.Values.component (list "all" (index . 1)) }}yes{{ end -}}
{{- end -}}

{{/* What the project says of itself (wms_mesh/infra/facts.py), as JSON. */}}
{{- define "mesh.project" -}}
{{- .Files.Get "files/project.json" -}}
{{- end -}}

{{/* An image by tag, or by digest when there is one: include "mesh.image" .Values.images.mesh. */}}
{{- define "mesh.image" -}}
{{ .repository }}:{{ .tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "mesh.labels" -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/part-of: wms-mesh
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
helm.sh/chart: wms-mesh-{{ (index . 0).Chart.Version }}
{{- end -}}

{{/* The labels by which services, budgets and policies find a part's pods. */}}
{{- define "mesh.selector" -}}
app.kubernetes.io/name: {{ . }}
app.kubernetes.io/part-of: wms-mesh
{{- end -}}

{{/* Pod Security "restricted", for a pod that runs as one user: include "mesh.podSecurity" 10001. */}}
{{- define "mesh.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "mesh.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Java trusts what is in a key store: the system's own authorities and ours. An init container of the same image makes it. */}}
{{- define "mesh.trustStore" -}}
command:
  - /bin/sh
  - -ec
  - |
    cp "$JAVA_HOME/lib/security/cacerts" /trust/cacerts
    chmod u+w /trust/cacerts
    keytool -importcert -noprompt -storepass changeit -keystore /trust/cacerts -alias mesh -file /etc/mesh-ca/ca.crt
securityContext:
  {{- include "mesh.containerSecurity" . | nindent 2 }}
resources:
  requests: {cpu: 100m, memory: 128Mi}
  limits: {cpu: "1", memory: 256Mi}
volumeMounts:
  - {name: trust, mountPath: /trust}
  - {name: mesh-ca, mountPath: /etc/mesh-ca, readOnly: true}
{{- end -}}

{{/* What Java is told of it. The password is the one that every Java ships with. */}}
{{- define "mesh.trustOptions" -}}
-Djavax.net.ssl.trustStore=/trust/cacerts -Djavax.net.ssl.trustStorePassword=changeit
{{- end -}}

{{/* The object store's keys, as the AWS SDK looks them up: include "mesh.s3Env" (list . "s3-bronze"). */}}
{{- define "mesh.s3Env" -}}
- name: AWS_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ index . 1 }}, key: access-key}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ index . 1 }}, key: secret-key}}
- name: AWS_REGION
  value: {{ (index . 0).Values.objectStore.region }}
- name: AWS_EC2_METADATA_DISABLED
  value: "true"
{{- end -}}

{{/* How our own Python finds Trino: include "mesh.trinoEnv" (list . "mesh-refresher" "trino-refresher"). */}}
{{- define "mesh.trinoEnv" -}}
- {name: MESH_TRINO_HOST, value: {{ (index . 0).Values.trino.host }}}
- {name: MESH_TRINO_PORT, value: {{ (index . 0).Values.trino.port | quote }}}
- {name: MESH_TRINO_USER, value: {{ index . 1 }}}
- {name: MESH_TRINO_CA, value: /etc/mesh-ca/ca.crt}
- name: MESH_TRINO_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ index . 2 }}, key: password}}
{{- end -}}

{{- define "mesh.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "mesh.flinkPod" -}}
securityContext:
  {{- include "mesh.podSecurity" 9999 | nindent 2 }}
{{- include "mesh.pullSecrets" . }}
{{- end -}}

{{/* Flink's own name for its container: what stands here is added to the one that it makes. The mounts come last. */}}
{{- define "mesh.flinkContainer" -}}
name: flink-main-container
env:
  {{- include "mesh.s3Env" (list . "s3-bronze") | nindent 2 }}
ports:
  - {name: metrics, containerPort: 9249}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
volumeMounts:
  - {name: trust, mountPath: /trust, readOnly: true}
  - {name: kafka-bronze, mountPath: /etc/kafka-bronze, readOnly: true}
  - {name: kafka-ca, mountPath: /etc/kafka-ca, readOnly: true}
{{- end -}}

{{- define "mesh.flinkVolumes" -}}
- {name: trust, emptyDir: {}}
- {name: mesh-ca, secret: {secretName: mesh-ca}}
- {name: kafka-bronze, secret: {secretName: kafka-bronze}}
- {name: kafka-ca, secret: {secretName: kafka-ca}}
{{- end -}}
