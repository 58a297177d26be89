package org.apache.flink.metrics.prometheus;

import java.util.Properties;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** How Flink finds {@link LoopbackReporter}: by this class's name in its configuration. */
public final class LoopbackReporterFactory implements MetricReporterFactory {
    @Override
    public LoopbackReporter createMetricReporter(Properties properties) {
        return new LoopbackReporter();
    }
}
