package mesh.standin;

import de.bwaldvogel.mongo.MongoServer;
import java.net.InetSocketAddress;
import org.h2.mvstore.MVStore;

/** Arguments: port on loopback, file of the store. Runs until SIGTERM. */
final class Main {

    private Main() {
    }

    public static void main(String[] arguments) {
        int port = Integer.parseInt(arguments[0]);
        // No automatic commit, neither by time nor by size: it could fall between a document and its journal entry.
        MVStore store = new MVStore.Builder().fileName(arguments[1]).autoCommitDisabled().autoCommitBufferSize(0)
            .cacheSize(64).open();
        store.setVersionsToKeep(0);
        store.setRetentionTime(0);
        MongoServer server = new MongoServer(new StandIn(store, "127.0.0.1:" + port));
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        server.bind(new InetSocketAddress("127.0.0.1", port), 1, StandIn.THREADS);
    }
}
