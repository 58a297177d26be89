package wms.bronze;

import java.io.ObjectOutputStream;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.PipelineExecutor;
import org.apache.flink.core.execution.PipelineExecutorFactory;
import org.apache.flink.streaming.api.graph.StreamGraph;

/**
 * The execution target 'plan': writes the job that PyFlink planned to the file named by {@code mesh.plan-file},
 * instead of submitting it. {@link RunPlan} runs that file: planning takes Python, a JVM and ten seconds, while a
 * restart after a crash needs none of them, and an old definition can still be restored when its code has changed.
 */
public final class SavePlan implements PipelineExecutorFactory {
    private static final String NAME = "plan";
    private static final ConfigOption<String> FILE = ConfigOptions.key("mesh.plan-file").stringType().noDefaultValue();

    @Override
    public String getName() {
        return NAME;
    }

    @Override
    public boolean isCompatibleWith(Configuration configuration) {
        return NAME.equals(configuration.get(DeploymentOptions.TARGET));
    }

    @Override
    public PipelineExecutor getExecutor(Configuration configuration) {
        return (pipeline, settings, loader) -> {
            StreamGraph graph = (StreamGraph) pipeline;
            graph.serializeUserDefinedInstances();
            Path file = Path.of(settings.get(FILE));
            try (ObjectOutputStream out = new ObjectOutputStream(Files.newOutputStream(file))) {
                out.writeObject(graph);
            }
            return CompletableFuture.completedFuture(noJob());
        };
    }

    private static JobClient noJob() {
        return (JobClient)
                Proxy.newProxyInstance(
                        SavePlan.class.getClassLoader(),
                        new Class<?>[] {JobClient.class},
                        (proxy, method, arguments) -> {
                            throw new UnsupportedOperationException("The plan was saved, not run.");
                        });
    }
}
