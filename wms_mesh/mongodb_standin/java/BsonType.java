package mesh.standin;

import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/**
 * Values and keys of the stored maps as BSON. The library's default is Java serialization, which took ten times
 * the space and most of the time of a write.
 */
final class BsonType extends BasicDataType<Object> {

    private static final String VALUE = "v";
    private static final String INDEX_KEY = "k";

    @Override
    public int getMemory(Object value) {
        return size(value);
    }

    @Override
    public void write(WriteBuffer out, Object value) {
        byte[] bytes = encode(wrap(value));
        out.putVarInt(bytes.length).put(bytes);
    }

    @Override
    public Object read(ByteBuffer in) {
        return unwrap(decode(in));
    }

    @Override
    public int compare(Object left, Object right) {
        if (left instanceof KeyValue && right instanceof KeyValue) {
            KeyValue a = (KeyValue) left;
            KeyValue b = (KeyValue) right;
            for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
                int order = compare(a.get(i), b.get(i));
                if (order != 0) {
                    return order;
                }
            }
            return Integer.compare(a.size(), b.size());
        }
        if (left instanceof String && right instanceof String) {
            return ((String) left).compareTo((String) right);
        }
        return Arrays.compareUnsigned(encode(wrap(left)), encode(wrap(right)));
    }

    @Override
    public Object[] createStorage(int size) {
        return new Object[size];
    }

    static void writeDocument(WriteBuffer out, Document document) {
        byte[] bytes = document == null ? new byte[0] : encode(document);
        out.putVarInt(bytes.length).put(bytes);
    }

    static Document readDocument(ByteBuffer in) {
        return decode(in);
    }

    /** Rough bytes on the heap; decides how many entries share a page, so a large document gets its own. */
    static int size(Object value) {
        int size = 24;
        if (value instanceof Map) {
            for (Map.Entry<?, ?> field : ((Map<?, ?>) value).entrySet()) {
                size += 40 + ((String) field.getKey()).length() + size(field.getValue());
            }
        } else if (value instanceof Collection) {
            for (Object element : (Collection<?>) value) {
                size += 8 + size(element);
            }
        } else if (value instanceof String) {
            size += ((String) value).length();
        } else if (value instanceof KeyValue) {
            for (Object element : (KeyValue) value) {
                size += 8 + size(element);
            }
        }
        return size;
    }

    private static byte[] encode(Document document) {
        ByteBuf buffer = Unpooled.buffer(512);
        BsonEncoder.encodeDocument(document, buffer);
        byte[] bytes = new byte[buffer.readableBytes()];
        buffer.readBytes(bytes);
        return bytes;
    }

    private static Document decode(ByteBuffer in) {
        byte[] bytes = new byte[org.h2.mvstore.DataUtils.readVarInt(in)];
        in.get(bytes);
        return bytes.length == 0 ? null : BsonDecoder.decodeBson(Unpooled.wrappedBuffer(bytes));
    }

    private static Document wrap(Object value) {
        if (value instanceof Missing) {
            return new Document();
        }
        if (value instanceof KeyValue) {
            Document key = new Document(INDEX_KEY, ((KeyValue) value).size());
            for (int i = 0; i < ((KeyValue) value).size(); i++) {
                if (!(((KeyValue) value).get(i) instanceof Missing)) {
                    key.put(String.valueOf(i), ((KeyValue) value).get(i));
                }
            }
            return key;
        }
        return new Document(VALUE, value);
    }

    private static Object unwrap(Document document) {
        if (document.containsKey(VALUE)) {
            return document.get(VALUE);
        }
        if (!document.containsKey(INDEX_KEY)) {
            return Missing.getInstance();
        }
        Object[] values = new Object[(Integer) document.get(INDEX_KEY)];
        for (int i = 0; i < values.length; i++) {
            values[i] = document.getOrMissing(String.valueOf(i));
        }
        return new KeyValue(values);
    }
}
