package mesh.standin;

import de.bwaldvogel.mongo.bson.Document;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * Retryable writes: the answer to a session's latest numbered write is stored with the write itself, so a driver
 * that lost the answer to a crash and asks again does not write twice.
 */
final class Retries {

    private static final int LIMIT = 10_000; // sessions; drivers pool them, a client uses a handful

    private final MVMap<String, Object> answers;

    Retries(MVStore store) {
        answers = store.openMap("standin.retries", new MVMap.Builder<String, Object>().valueType(new BsonType()));
    }

    /** The stored answer to this very write, or null when it is new. */
    Document answer(Document command) {
        Document stored = command.containsKey("txnNumber") ? (Document) answers.get(session(command)) : null;
        boolean same = stored != null && stored.get("txnNumber").equals(command.get("txnNumber"));
        return same ? (Document) stored.get("answer") : null;
    }

    void remember(Document command, Document answer) {
        if (command.containsKey("txnNumber")) {
            if (answers.size() >= LIMIT) {
                answers.clear();
            }
            answers.put(session(command), new Document("txnNumber", command.get("txnNumber")).append("answer", answer));
        }
    }

    private static String session(Document command) {
        return String.valueOf(((Document) command.get("lsid")).get("id"));
    }
}
