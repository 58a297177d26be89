package mesh.standin;

import de.bwaldvogel.mongo.backend.Cursor;
import de.bwaldvogel.mongo.bson.Document;
import java.util.ArrayList;
import java.util.List;

/**
 * A result handed out in batches bounded by bytes. The library answers with everything at once, which no driver
 * accepts beyond 48 MB.
 */
final class Pages implements Cursor {

    static final int BATCH_BYTES = 8 << 20;
    static final int BATCH_COUNT = 10_000;

    private final long id;
    private final List<Document> documents;
    private int next;

    Pages(long id, List<Document> documents) {
        this.id = id;
        this.documents = documents;
    }

    @Override
    public long getId() {
        return id;
    }

    @Override
    public boolean isEmpty() {
        return next == documents.size();
    }

    @Override
    public List<Document> takeDocuments(int count) {
        int limit = count > 0 ? count : BATCH_COUNT;
        List<Document> batch = new ArrayList<>();
        for (int size = 0; !isEmpty() && batch.size() < limit && size < BATCH_BYTES; next++) {
            batch.add(documents.get(next));
            size += BsonType.size(documents.get(next));
        }
        return batch;
    }
}
