import assert from "node:assert/strict";
import { test } from "node:test";
import { charsetOf, charsetProblem, findCharset, withCharset } from "../../src/model/charset.ts";

test("an encoding is found by each of its labels", () => {
  for (const label of ["latin1", "ISO-8859-1", " cp1252 ", "us-ascii", "Windows-1252"]) {
    assert.equal(findCharset(label), "windows-1252");
  }
  for (
    const [label, name] of [["UTF8", "utf-8"], ["unicode", "utf-16le"], ["sjis", "shift_jis"], ["mac", "macintosh"]]
  ) {
    assert.equal(findCharset(label!), name);
  }
  for (const label of ["", "klingon", "utf-7", "replacement"]) assert.equal(findCharset(label), null);
});

test("what the runtime cannot decode strictly is refused, and not offered; Windows-1252 always can be", () => {
  const { TextDecoder } = globalThis;
  class Small extends TextDecoder {
    constructor(label = "utf-8", options?: TextDecoderOptions) {
      if (!/^utf-(8|16le)$/.test(label)) throw new RangeError(`The "${label}" encoding is not supported`);
      super(label, options);
    }
  }
  globalThis.TextDecoder = Small;
  try {
    assert.equal(findCharset("latin1"), "windows-1252");
    assert.equal(
      charsetProblem("shift_jis"),
      '"shift_jis" is not an encoding that this hub can read; common ones are utf-8, utf-16le, windows-1252',
    );
  } finally {
    globalThis.TextDecoder = TextDecoder;
  }
});

test("a media type may declare an encoding", () => {
  assert.equal(charsetOf("text/csv"), null);
  assert.equal(charsetOf("text/csv;charset=utf-8"), "utf-8");
  assert.equal(charsetOf('text/csv; header=present; Charset = "big5"'), "big5");
  assert.equal(withCharset("text/csv; header=present", null), "text/csv");
  assert.equal(withCharset("text/csv; charset=x", "big5"), "text/csv; charset=big5");
});
