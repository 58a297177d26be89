#!/bin/sh
# Starts the metastore with the configuration in /opt/metastore/conf.
set -eu
# shellcheck disable=SC2086 # options are words
exec java ${JAVA_OPTIONS:-} -cp '/opt/metastore/conf:/opt/metastore/lib/*' \
    org.apache.hadoop.hive.metastore.HiveMetaStore -p 9083
