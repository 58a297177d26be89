#!/bin/sh
# plan.sh SETTINGS PLAN: has PyFlink plan the bronze job; the JobManager's pod runs it before the JobManager starts.
# FLINK_ENV_JAVA_OPTS comes from the chart: what Java 17 has to be told, and the authorities to trust.
set -eu
export PYTHONPATH=/opt/flink/job
# On the planner's classpath: the function that the job's SQL names, and the target that saves the plan.
export HADOOP_CLASSPATH=/opt/flink/usrlib/wms-bronze.jar
exec /opt/mesh/python -m ingest.bronze.job "$1" "$2"
