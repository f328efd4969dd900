/** What workerd has by this name, for the application in Node: hands on exactly so many bytes, or fails. */
class FixedLengthStreamDouble extends TransformStream<Uint8Array, Uint8Array> {
  constructor(expected: number | bigint) {
    let missing = Number(expected);
    super({
      transform(chunk, controller) {
        missing -= chunk.byteLength;
        if (missing < 0) throw new TypeError("more bytes than the fixed length");
        controller.enqueue(chunk);
      },
      flush() {
        if (missing > 0) throw new TypeError("fewer bytes than the fixed length");
      },
    });
  }
}

/** Gives Node the stream; inside workerd there is the real one. */
export function provideFixedLengthStream(): void {
  if (typeof FixedLengthStream === "undefined") {
    Object.assign(globalThis, { FixedLengthStream: FixedLengthStreamDouble });
  }
}
