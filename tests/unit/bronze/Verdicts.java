import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Base64;
import java.util.StringJoiner;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import wms.bronze.ReadRecord;

/** Feeds records from standard input to the function; one line of Base64 fields for each ("-" is null). */
public final class Verdicts {
    private static final int ENVELOPE = 8;

    public static void main(String[] arguments) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        ReadRecord function = new ReadRecord();
        for (int left = in.readInt(); left > 0; left--) {
            String kind = in.readUTF();
            TimestampData timestamp = TimestampData.fromEpochMillis(in.readLong());
            byte[] key = bytes(in);
            byte[] value = bytes(in);
            GenericRowData row = (GenericRowData) function.eval(kind, timestamp, key, value);
            StringJoiner line = new StringJoiner(" ");
            for (int i = 0; i < row.getArity(); i++) {
                Object field = row.getField(i);
                if (i == ENVELOPE && field != null) {
                    field = Arrays.equals(((StringData) field).toBytes(), value) ? "verbatim" : "changed";
                }
                line.add(field == null ? "-" : Base64.getEncoder().encodeToString(field.toString().getBytes("UTF-8")));
            }
            System.out.println(line);
        }
    }

    private static byte[] bytes(DataInputStream in) throws IOException {
        int length = in.readInt();
        return length < 0 ? null : in.readNBytes(length);
    }
}
