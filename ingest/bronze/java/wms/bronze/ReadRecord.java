package wms.bronze;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.EnumSet;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * Reads a Kafka record once: what bronze stores of it, or the reason why it belongs into the quarantine. It throws
 * nothing, whatever the bytes are.
 *
 * <p>kind: 'change' (a Debezium envelope is expected), 'event' (a CloudEvent), anything else has no table.
 */
@FunctionHint(
        output =
                @DataTypeHint(
                        value =
                                "ROW<reason STRING, detail STRING, kafka_timestamp TIMESTAMP_LTZ(3), op STRING,"
                                        + " document_id STRING, source_ts TIMESTAMP_LTZ(3), source_ord BIGINT,"
                                        + " snapshot STRING, envelope STRING, event_id STRING, event_type STRING,"
                                        + " event_source STRING, subject STRING, event_time TIMESTAMP_LTZ(6),"
                                        + " key_text STRING>",
                        bridgedTo = RowData.class))
public final class ReadRecord extends ScalarFunction {
    private static final int REASON = 0, DETAIL = 1, KAFKA_TIMESTAMP = 2, OP = 3, DOCUMENT_ID = 4, SOURCE_TS = 5;
    private static final int SOURCE_ORD = 6, SNAPSHOT = 7, ENVELOPE = 8, EVENT_ID = 9, EVENT_TYPE = 10;
    private static final int EVENT_SOURCE = 11, SUBJECT = 12, EVENT_TIME = 13, KEY_TEXT = 14, WIDTH = 15;

    // What Iceberg's microseconds, Trino and a reader can all work with; outside of it a clock was wrong.
    private static final long FIRST_MILLIS = 0L; // 1970-01-01
    private static final long END_MILLIS = 7_258_118_400_000L; // 2200-01-01
    private static final List<String> OPS = List.of("r", "c", "u", "d");
    private static final int DETAIL_LIMIT = 300;

    private enum Field { before, after, op, ts_ms, source }

    private enum SourceField { ts_ms, ord, snapshot }

    private enum EventField { specversion, id, type, source, subject, time }

    public RowData eval(
            String kind,
            @DataTypeHint(value = "TIMESTAMP_LTZ(3)", bridgedTo = TimestampData.class) TimestampData kafkaTimestamp,
            byte[] key,
            byte[] value) {
        GenericRowData row = new GenericRowData(WIDTH);
        try {
            row.setField(KAFKA_TIMESTAMP, inRange(kafkaTimestamp.getMillisecond(), "Kafka timestamp"));
            if ("change".equals(kind)) {
                readChange(row, key, value);
            } else if ("event".equals(kind)) {
                readEvent(row, key, value);
            } else {
                throw new Rejected("unknown_topic", "no bronze table belongs to this topic");
            }
        } catch (Rejected rejected) {
            row.setField(REASON, StringData.fromString(rejected.reason));
            row.setField(DETAIL, StringData.fromString(clipped(rejected.getMessage())));
        }
        return row;
    }

    private static void readChange(GenericRowData row, byte[] key, byte[] value) throws Rejected {
        row.setField(DOCUMENT_ID, StringData.fromString(documentId(key)));
        if (value == null) {
            row.setField(OP, StringData.fromString("t"));
            return;
        }
        EnumSet<Field> seen = EnumSet.noneOf(Field.class);
        String[] op = new String[1];
        boolean[] hasAfter = new boolean[1];
        Json.read(value, (name, json) -> {
            switch (name) {
                case "before" -> text(json, once(seen, Field.before), true);
                case "after" -> hasAfter[0] = text(json, once(seen, Field.after), true);
                case "op" -> {
                    text(json, once(seen, Field.op), false);
                    op[0] = json.getText();
                }
                case "ts_ms" -> millis(json, once(seen, Field.ts_ms));
                case "source" -> {
                    once(seen, Field.source);
                    readSource(row, json);
                }
                default -> json.skipChildren();
            }
        });
        require(seen, EnumSet.allOf(Field.class));
        if (!OPS.contains(op[0])) {
            throw new Rejected("unknown_op", "op is '" + op[0] + "'");
        }
        if (!hasAfter[0] && (op[0].equals("r") || op[0].equals("c"))) {
            throw new Rejected("not_an_envelope", "op is '" + op[0] + "' but there is no after");
        }
        row.setField(OP, StringData.fromString(op[0]));
        row.setField(ENVELOPE, StringData.fromBytes(value));
    }

    private static void readSource(GenericRowData row, JsonParser json) throws IOException, Rejected {
        EnumSet<SourceField> seen = EnumSet.noneOf(SourceField.class);
        Json.object(json, "source", (name, inner) -> {
            switch (name) {
                case "ts_ms" -> row.setField(SOURCE_TS, millis(inner, once(seen, SourceField.ts_ms)));
                case "ord" -> row.setField(SOURCE_ORD, whole(inner, once(seen, SourceField.ord)));
                case "snapshot" -> {
                    if (text(inner, once(seen, SourceField.snapshot), true)) {
                        row.setField(SNAPSHOT, StringData.fromString(wellFormed(inner, name)));
                    }
                }
                default -> inner.skipChildren();
            }
        });
        require(seen, EnumSet.of(SourceField.ts_ms, SourceField.ord));
    }

    private static void readEvent(GenericRowData row, byte[] key, byte[] value) throws Rejected {
        EnumSet<EventField> seen = EnumSet.noneOf(EventField.class);
        if (key != null) {
            Json.requireUtf8(key, "the key");
            row.setField(KEY_TEXT, StringData.fromBytes(key));
        }
        if (value == null) {
            throw new Rejected("empty_value", "the value is null, and events have no tombstones");
        }
        Json.read(value, (name, json) -> {
            switch (name) {
                case "specversion" -> {
                    text(json, once(seen, EventField.specversion), false);
                    if (!json.getText().startsWith("1.")) {
                        throw new Rejected("not_an_envelope", "specversion is '" + json.getText() + "', not 1.x");
                    }
                }
                case "id" -> row.setField(EVENT_ID, filled(json, once(seen, EventField.id)));
                case "type" -> row.setField(EVENT_TYPE, filled(json, once(seen, EventField.type)));
                case "source" -> row.setField(EVENT_SOURCE, filled(json, once(seen, EventField.source)));
                case "subject" -> {
                    if (text(json, once(seen, EventField.subject), true)) {
                        row.setField(SUBJECT, StringData.fromString(wellFormed(json, name)));
                    }
                }
                case "time" -> {
                    once(seen, EventField.time);
                    row.setField(EVENT_TIME, eventTime(json));
                }
                default -> json.skipChildren();
            }
        });
        require(seen, EnumSet.of(EventField.specversion, EventField.id, EventField.type, EventField.source));
        row.setField(ENVELOPE, StringData.fromBytes(value));
    }

    /** The JSON text of the document's _id, out of a key like {"id":"{\"$oid\": \"65a0...\"}"}. */
    private static String documentId(byte[] key) throws Rejected {
        if (key == null || key.length == 0) {
            throw new Rejected("missing_key", key == null ? "the key is null" : "the key is empty");
        }
        String[] id = new String[1];
        try {
            Json.read(key, (name, json) -> {
                if (!name.equals("id")) {
                    json.skipChildren();
                } else if (id[0] != null || json.currentToken() != JsonToken.VALUE_STRING) {
                    throw new Rejected("bad_key", "id must stand there once, as a string");
                } else {
                    id[0] = wellFormed(json, name);
                }
            });
        } catch (Rejected rejected) {
            throw new Rejected("bad_key", rejected.reason + ": " + rejected.getMessage());
        }
        if (id[0] == null || id[0].isEmpty()) {
            throw new Rejected("bad_key", "the key has no id");
        }
        return id[0];
    }

    private static <E extends Enum<E>> E once(EnumSet<E> seen, E field) throws Rejected {
        if (!seen.add(field)) {
            throw new Rejected("duplicate_field", field + " stands there twice");
        }
        return field;
    }

    private static <E extends Enum<E>> void require(EnumSet<E> seen, EnumSet<E> needed) throws Rejected {
        if (!seen.containsAll(needed)) {
            needed.removeAll(seen);
            throw new Rejected("not_an_envelope", "missing: " + needed);
        }
    }

    /** A string's text. JSON can spell half a surrogate pair; UTF-8 cannot, and two such ids would become one. */
    private static String wellFormed(JsonParser json, String what) throws IOException, Rejected {
        String text = json.getText();
        for (int i = 0; i < text.length(); i++) {
            if (Character.isHighSurrogate(text.charAt(i))
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(text.charAt(i))) {
                throw new Rejected("not_utf8", what + " holds half a surrogate pair");
            }
        }
        return text;
    }

    /** Whether the value is a string; false for an allowed null. */
    private static boolean text(JsonParser json, Enum<?> field, boolean nullable) throws Rejected {
        if (json.currentToken() == JsonToken.VALUE_STRING) {
            return true;
        }
        if (nullable && json.currentToken() == JsonToken.VALUE_NULL) {
            return false;
        }
        throw wrongType(json, field, "a string");
    }

    private static StringData filled(JsonParser json, Enum<?> field) throws IOException, Rejected {
        text(json, field, false);
        if (json.getText().isBlank()) {
            throw new Rejected("not_an_envelope", field + " is blank");
        }
        return StringData.fromString(wellFormed(json, field.name()));
    }

    private static long whole(JsonParser json, Enum<?> field) throws IOException, Rejected {
        if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw wrongType(json, field, "a whole number");
        }
        if (json.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
            throw new Rejected("number_out_of_range", field + " does not fit into 64 bits");
        }
        return json.getLongValue();
    }

    private static TimestampData millis(JsonParser json, Enum<?> field) throws IOException, Rejected {
        return inRange(whole(json, field), field.getDeclaringClass().getSimpleName() + " " + field);
    }

    private static TimestampData inRange(long millis, String what) throws Rejected {
        if (millis < FIRST_MILLIS || millis >= END_MILLIS) {
            throw new Rejected("timestamp_out_of_range", what + " is " + millis + ", outside of 1970 to 2200");
        }
        return TimestampData.fromEpochMillis(millis);
    }

    /** RFC 3339; null when it is absent or unreadable: the event itself is still one. */
    private static TimestampData eventTime(JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.VALUE_STRING) {
            json.skipChildren();
            return null;
        }
        try {
            TimestampData time = TimestampData.fromInstant(OffsetDateTime.parse(json.getText()).toInstant());
            return time.getMillisecond() < FIRST_MILLIS || time.getMillisecond() >= END_MILLIS ? null : time;
        } catch (DateTimeException unreadable) {
            return null;
        }
    }

    private static Rejected wrongType(JsonParser json, Enum<?> field, String wanted) {
        return new Rejected("wrong_type", field + " is " + json.currentToken() + ", not " + wanted);
    }

    private static String clipped(String text) {
        return text.length() <= DETAIL_LIMIT ? text : text.substring(0, DETAIL_LIMIT) + "…";
    }
}
