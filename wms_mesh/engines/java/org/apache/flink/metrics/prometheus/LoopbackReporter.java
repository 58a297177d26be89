package org.apache.flink.metrics.prometheus;

import io.prometheus.client.exporter.HTTPServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.apache.flink.metrics.MetricConfig;

/**
 * Flink's own Prometheus reporter, on loopback: the one of 2.1 listens on every interface and has no setting for it. The
 * metrics and their names are its base class's, so what is proven here holds on a cluster. In that class's package,
 * because its registry is visible nowhere else.
 */
public final class LoopbackReporter extends AbstractPrometheusReporter {
    private HTTPServer server;

    @Override
    public void open(MetricConfig config) {
        super.open(config);
        InetSocketAddress address =
                new InetSocketAddress(InetAddress.getLoopbackAddress(), config.getInteger("port", 0));
        try {
            server = new HTTPServer(address, registry, true);
        } catch (IOException error) {
            throw new UncheckedIOException("metrics cannot be served on " + address, error);
        }
    }

    @Override
    public void close() {
        if (server != null) {
            server.stop();
        }
        super.close();
    }
}
