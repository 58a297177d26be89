package mesh.standin;

import de.bwaldvogel.mongo.backend.AbstractUniqueIndex;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.Missing;
import java.util.List;
import java.util.Map;
import org.h2.mvstore.MVMap;

/** A unique index in a stored map, from key to the document's place. */
final class UniqueIndex extends AbstractUniqueIndex<Object> {

    private final MVMap<Object, Object> places;

    UniqueIndex(MVMap<Object, Object> places, String name, List<IndexKey> keys, boolean sparse) {
        super(name, keys, sparse);
        this.places = places;
    }

    @Override
    protected Object removeDocument(KeyValue key) {
        return places.remove(key);
    }

    @Override
    protected boolean putKeyPosition(KeyValue key, Object place) {
        return places.putIfAbsent(key, Missing.ofNullable(place)) == null;
    }

    @Override
    @SuppressWarnings("unchecked")
    protected Iterable<Map.Entry<KeyValue, Object>> getIterable() {
        return (Iterable<Map.Entry<KeyValue, Object>>) (Iterable<?>) places.entrySet();
    }

    @Override
    protected Object getPosition(KeyValue key) {
        return places.get(key);
    }

    @Override
    public long getCount() {
        return places.sizeAsLong();
    }

    @Override
    public long getDataSize() {
        return getCount();
    }
}
