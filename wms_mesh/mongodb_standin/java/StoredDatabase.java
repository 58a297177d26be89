package mesh.standin;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.AbstractMongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.oplog.Oplog;
import java.util.List;
import java.util.stream.Stream;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/** A database whose collections live in one store and tell the journal what they change. */
final class StoredDatabase extends AbstractMongoDatabase<Object> {

    private static final String DOCUMENTS = "documents.";
    private static final String SIZES = "sizes.";
    private static final String INDEX = "index.";

    private final MVStore store;
    private final Journal journal;

    StoredDatabase(String name, MVStore store, Journal journal, CursorRegistry cursors) {
        super(name, cursors);
        this.store = store;
        this.journal = journal;
        initializeNamespacesAndIndexes();
    }

    /** Names of the databases that the store holds. */
    static Stream<String> names(MVStore store) {
        return store.getMapNames().stream()
            .filter(map -> map.startsWith(DOCUMENTS))
            .map(map -> map.substring(DOCUMENTS.length(), map.indexOf('.', DOCUMENTS.length())))
            .distinct();
    }

    @Override
    protected MongoCollection<Object> openOrCreateCollection(String name, CollectionOptions options) {
        String namespace = getFullCollectionNamespace(name);
        MVMap<Object, de.bwaldvogel.mongo.bson.Document> documents = open(DOCUMENTS + namespace);
        MVMap<String, Object> sizes = store.openMap(SIZES + namespace);
        return name.startsWith("system.")
            ? new H2Collection(this, name, options, documents, sizes, cursorRegistry)
            : new StoredCollection(this, name, options, documents, sizes, cursorRegistry, journal);
    }

    @Override
    protected Index<Object> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
        return new UniqueIndex(open(indexMap(collection, name)), name, keys, sparse);
    }

    @Override
    protected void dropIndex(MongoCollection<Object> collection, String name) {
        super.dropIndex(collection, name);
        store.removeMap(indexMap(collection.getCollectionName(), name));
    }

    @Override
    public void dropCollection(String name, Oplog oplog) {
        super.dropCollection(name, oplog);
        store.removeMap(DOCUMENTS + getFullCollectionNamespace(name));
        store.removeMap(SIZES + getFullCollectionNamespace(name));
        journal.keepImages(getFullCollectionNamespace(name), false);
    }

    @Override
    protected long getStorageSize() {
        return store.getFileStore().size();
    }

    @Override
    protected long getFileSize() {
        return getStorageSize();
    }

    private String indexMap(String collection, String name) {
        return INDEX + getFullCollectionNamespace(collection) + "." + name;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private <V> MVMap<Object, V> open(String map) {
        return (MVMap<Object, V>) (MVMap) store.openMap(map,
            new MVMap.Builder<Object, Object>().keyType(new BsonType()).valueType(new BsonType()));
    }
}
