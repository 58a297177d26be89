package mesh.standin;

import de.bwaldvogel.mongo.bson.BsonTimestamp;
import de.bwaldvogel.mongo.bson.Document;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.LongDataType;

/**
 * The oplog: every change in order, keyed by its timestamp (seconds in the upper half, a counter in the lower).
 *
 * Appended to under the writer's lock and read by change streams; a reader sees committed changes only, so nothing
 * is ever published that a crash could take back.
 */
final class Journal {

    // A real oplog is bounded by size; at 3 KB an event this is some 700 MB on disk, and a connector that
    // was away for longer has to take its snapshot again, as with MongoDB.
    private static final int LIMIT = 250_000;
    private static final String FORGOTTEN = "forgotten";

    private final MVMap<Long, Event> events;
    private final MVMap<String, Object> marks;
    private final MVMap<String, Object> preImages;
    private long last;
    private volatile long committed;

    Journal(MVStore store) {
        events = store.openMap("standin.journal",
            new MVMap.Builder<Long, Event>().keyType(LongDataType.INSTANCE).valueType(new Event.Type()));
        marks = store.openMap("standin.marks");
        preImages = store.openMap("standin.preimages");
        marks.putIfAbsent(FORGOTTEN, now() - 1); // a new store knows everything from now on
        Long newest = events.lastKey();
        last = newest == null ? (Long) marks.get(FORGOTTEN) + 1 : newest;
        committed = last;
    }

    private static long now() {
        return Instant.now().getEpochSecond() << 32;
    }

    /** Whether changes of a collection carry the document as it was before. */
    boolean keepsImages(String namespace) {
        return preImages.containsKey(namespace);
    }

    void keepImages(String namespace, boolean enabled) {
        if (enabled) {
            preImages.put(namespace, true);
        } else {
            preImages.remove(namespace);
        }
    }

    void append(String operation, String database, String collection, Object id, Document before, Document after) {
        boolean images = keepsImages(database + "." + collection);
        Document changes = operation.equals("update") ? Difference.between(before, after) : null;
        last = Math.max(last, now()) + 1;
        events.put(last, new Event(operation, database, collection, Instant.now(), new Document("_id", id),
            images ? before : null, after, changes));
        forget(LIMIT);
    }

    /** Remove the oldest changes until so many are left. */
    void forget(long left) {
        while (events.sizeAsLong() > left) {
            Long oldest = events.firstKey();
            events.remove(oldest);
            marks.put(FORGOTTEN, oldest);
        }
    }

    /** Show the appended changes to the readers; called when the store has committed them. */
    synchronized void publish() {
        committed = last;
        notifyAll();
    }

    BsonTimestamp time() {
        return new BsonTimestamp(committed);
    }

    /** Whether a reader that saw everything up to this timestamp can go on without a gap. */
    boolean remembers(long timestamp) {
        return timestamp >= (Long) marks.get(FORGOTTEN);
    }

    /** The newest published timestamp, after waiting up to some milliseconds for one above ``position``. */
    synchronized long await(long position, long millis) throws InterruptedException {
        long deadline = System.nanoTime() + millis * 1_000_000;
        long left = millis;
        while (committed <= position && left > 0) {
            wait(left);
            left = (deadline - System.nanoTime()) / 1_000_000;
        }
        return committed;
    }

    /** Published changes above ``position`` up to ``end``, at most ``count`` of them and about ``bytes`` large. */
    List<Map.Entry<Long, Event>> read(long position, long end, int count, int bytes) {
        List<Map.Entry<Long, Event>> batch = new ArrayList<>();
        Cursor<Long, Event> cursor = events.cursor(position + 1);
        int size = 0;
        while (cursor.hasNext() && batch.size() < count && size < bytes) {
            Long timestamp = cursor.next();
            if (timestamp > end) {
                break;
            }
            batch.add(Map.entry(timestamp, cursor.getValue()));
            size += cursor.getValue().size();
        }
        return batch;
    }
}
