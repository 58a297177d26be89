package wms.bronze;

import java.io.BufferedInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.util.InstantiationUtil;

/** Runs a plan that {@link SavePlan} wrote; the JobManager calls it for {@code POST /jars/<id>/run}. */
public final class RunPlan {
    private RunPlan() {}

    /** The only argument is the plan file; the restore path comes with the REST request. */
    public static void main(String[] arguments) throws Exception {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(Path.of(arguments[0])))) {
            StreamGraph graph = InstantiationUtil.deserializeObject(in, loader);
            graph.deserializeUserDefinedInstances(loader, Runnable::run);
            // Never the plan's own id again: Iceberg skips commits of a checkpoint number that this job id has committed,
            // and the numbers of a job without state start at 1.
            graph.setJobId(new JobID());
            StreamExecutionEnvironment.getExecutionEnvironment().executeAsync(graph);
        }
    }
}
