#!/bin/sh
# Hive's own tool for the metastore's schema, with the configuration in /opt/metastore/conf.
set -eu
exec java -cp '/opt/metastore/conf:/opt/metastore/lib/*' \
    org.apache.hadoop.hive.metastore.tools.schematool.MetastoreSchemaTool "$@"
