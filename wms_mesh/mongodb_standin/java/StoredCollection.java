package mesh.standin;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.ArrayFilters;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;

/**
 * A collection that journals at the three places where the library changes stored documents, so every kind of
 * write (upsert, findAndModify, deleteMany) is caught in its order with the document before and after.
 *
 * A stored document never changes: an update works on a copy. Readers and the store's writer need no lock for it.
 */
final class StoredCollection extends H2Collection {

    private static final int STEP_BYTES = 4 << 20;

    private final MVMap<Object, Document> documents;
    private final Journal journal;
    private boolean updating;
    private boolean replacing;

    StoredCollection(MongoDatabase database, String name, CollectionOptions options, MVMap<Object, Document> documents,
            MVMap<String, Object> sizes, CursorRegistry cursors, Journal journal) {
        super(database, name, options, documents, sizes, cursors);
        this.documents = documents;
        this.journal = journal;
    }

    @Override
    protected Object addDocumentInternal(Document document) {
        Object place = super.addDocumentInternal(document);
        append("insert", document.get("_id"), null, document);
        return place;
    }

    @Override
    protected void handleUpdate(Object place, Document before, Document after) {
        super.handleUpdate(place, before, after);
        append(replacing ? "replace" : "update", after.get("_id"), before, after);
    }

    @Override
    protected void removeDocument(Object place) {
        Document before = getDocument(place);
        super.removeDocument(place);
        append("delete", before.get("_id"), before, null);
    }

    private void append(String operation, Object id, Document before, Document after) {
        journal.append(operation, getDatabaseName(), getCollectionName(), id, before, after);
    }

    @Override
    public synchronized Document updateDocuments(Document selector, Document update, ArrayFilters filters,
            boolean multi, boolean upsert, Oplog oplog) {
        begin(update);
        try {
            return super.updateDocuments(selector, update, filters, multi, upsert, oplog);
        } finally {
            updating = false;
        }
    }

    @Override
    public synchronized Document findAndModify(Document command) {
        begin((Document) command.getOrDefault("update", new Document()));
        try {
            return super.findAndModify(command);
        } finally {
            updating = false;
        }
    }

    private void begin(Document update) {
        updating = true;
        replacing = update.keySet().stream().noneMatch(key -> key.startsWith("$"));
    }

    @Override
    protected QueryResult createQueryResult(List<Document> matched, int batchSize) {
        return super.createQueryResult(
            updating ? matched.stream().map(Document::cloneDeeply).collect(Collectors.toList()) : matched, batchSize);
    }

    /** The next documents in stored order, at most ``count`` and about 4 MB; none at the end. */
    List<Document> readAfter(Object place, int count) {
        List<Document> read = new ArrayList<>();
        Object from = place == null ? documents.firstKey() : documents.higherKey(place);
        Cursor<Object, Document> cursor = from == null ? null : documents.cursor(from);
        for (int size = 0; cursor != null && cursor.hasNext() && read.size() < count && size < STEP_BYTES;) {
            cursor.next();
            read.add(cursor.getValue());
            size += BsonType.size(cursor.getValue());
        }
        return read;
    }

    /** The document, projected, when it matches; else nothing. */
    Iterable<Document> select(Document document, Document filter, Document projection) {
        return matchDocumentsFromStream(Stream.of(document), filter, null, 0, 0, 0, projection);
    }

    boolean hasIndexFor(Document filter) {
        return getIndexes().stream().anyMatch(index -> index.canHandle(filter));
    }

    @Override
    public Stream<Document> queryAllAsStream() {
        return documents.values().stream(); // lazily: aggregations over a collection larger than the heap
    }

    @Override
    protected boolean tracksDataSize() {
        return false; // it would encode every written document once more
    }
}
