package mesh.standin;

import de.bwaldvogel.mongo.backend.Cursor;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.bson.Document;
import java.util.ArrayList;
import java.util.List;

/**
 * An unsorted find, read from the store batch by batch. The library collects a whole result first: 60,000
 * documents of 1 KB took more than the heap.
 */
final class Scan implements Cursor {

    private static final int STEP = 200;

    private final long id;
    private final StoredCollection collection;
    private final Document filter;
    private final Document projection;
    private int skip;
    private int left;
    private Object place;
    private boolean ended;

    Scan(long id, StoredCollection collection, Document command) {
        this.id = id;
        this.collection = collection;
        this.filter = (Document) command.getOrDefault("filter", new Document());
        this.projection = (Document) command.get("projection");
        this.skip = number(command, "skip");
        int limit = Math.abs(number(command, "limit"));
        this.left = limit > 0 ? limit : Integer.MAX_VALUE;
    }

    private static int number(Document command, String option) {
        return ((Number) command.getOrDefault(option, 0)).intValue();
    }

    @Override
    public long getId() {
        return id;
    }

    @Override
    public boolean isEmpty() {
        return ended || left == 0;
    }

    @Override
    public List<Document> takeDocuments(int count) {
        int limit = Math.min(count > 0 ? count : Pages.BATCH_COUNT, left);
        List<Document> batch = new ArrayList<>();
        int size = 0;
        while (!ended && batch.size() < limit && size < Pages.BATCH_BYTES) {
            List<Document> read = collection.readAfter(place, STEP);
            ended = read.isEmpty();
            for (int i = 0; i < read.size() && batch.size() < limit && size < Pages.BATCH_BYTES; i++) {
                place = Missing.ofNullable(read.get(i).get("_id"));
                for (Document match : collection.select(read.get(i), filter, projection)) {
                    if (skip > 0) {
                        skip--;
                    } else {
                        batch.add(match);
                        size += BsonType.size(match);
                    }
                }
            }
        }
        left -= batch.size();
        return batch;
    }
}
