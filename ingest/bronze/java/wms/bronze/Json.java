package wms.bronze;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.StreamReadConstraints;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.StreamReadFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.exc.StreamConstraintsException;

/** One strict pass over a JSON object: UTF-8 only, to the last byte, and no deeper than MAX_DEPTH. */
final class Json {
    /** MongoDB nests 100 deep at most; Trino's own parser stops at 1,000. */
    private static final int MAX_DEPTH = 500;

    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                    // Property names come from strangers: interning or caching them would grow without end.
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(MAX_DEPTH)
                                    .maxStringLength(Integer.MAX_VALUE)
                                    .build())
                    .build();

    private Json() {}

    /** Takes one property: the parser stands on its value and must be left on the value's last token. */
    interface Visitor {
        void property(String name, JsonParser json) throws IOException, Rejected;
    }

    /** Reads bytes that must be exactly one JSON object. */
    static void read(byte[] bytes, Visitor visitor) throws Rejected {
        if (bytes.length == 0) {
            throw new Rejected("empty_value", "no bytes");
        }
        requireUtf8(bytes, "the record");
        requirePlainStart(bytes);
        try (JsonParser json = FACTORY.createParser(bytes)) {
            json.nextToken();
            object(json, "the record", visitor);
            if (json.nextToken() != null) {
                throw new Rejected("not_json", "more follows after the object");
            }
        } catch (StreamConstraintsException limit) {
            boolean deep = limit.getMessage().contains("nesting depth");
            throw new Rejected(deep ? "too_deep" : "not_json", limit.getOriginalMessage());
        } catch (IOException malformed) {
            throw new Rejected("not_json", malformed.getMessage());
        }
    }

    /** Visits each property of the object on which the parser stands. */
    static void object(JsonParser json, String what, Visitor visitor) throws IOException, Rejected {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            throw new Rejected(
                    json.currentToken() == null ? "empty_value" : what.equals("source") ? "wrong_type" : "not_an_envelope",
                    what + " is " + json.currentToken() + ", not an object");
        }
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            json.nextToken();
            visitor.property(name, json);
        }
    }

    /** Strict: Java's own String constructor and Jackson let overlong forms, surrogates or U+FFFD pass. */
    static void requireUtf8(byte[] bytes, String what) throws Rejected {
        int bits = 0;
        for (byte each : bytes) {
            bits |= each;
        }
        if (bits >= 0) {
            return; // ASCII, as most records are: one vectorised loop
        }
        CharsetDecoder decoder =
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(Math.min(bytes.length, 8192));
        CoderResult result;
        do {
            out.clear();
            result = decoder.decode(in, out, true);
        } while (result.isOverflow());
        if (result.isError()) {
            throw new Rejected("not_utf8", what + " is not UTF-8 at byte " + in.position());
        }
    }

    /** Jackson would guess UTF-16 and UTF-32 from zero bytes, and skip a byte order mark; Trino does neither. */
    private static void requirePlainStart(byte[] bytes) throws Rejected {
        if (bytes.length >= 3 && bytes[0] == (byte) 0xEF && bytes[1] == (byte) 0xBB && bytes[2] == (byte) 0xBF) {
            throw new Rejected("not_json", "a byte order mark stands in front");
        }
        for (int i = 0; i < Math.min(4, bytes.length); i++) {
            if (bytes[i] == 0) {
                throw new Rejected("not_json", "a zero byte at " + i);
            }
        }
    }
}
