/**
 * Cuts bytes into lines. A line is decoded when it is complete, so that a character that came in two
 * chunks is whole again, and bytes are copied once.
 */
export class LineSplitter {
  readonly #lineBytesMax: number;
  /** Of the line that has not ended. */
  #parts: Buffer[] = [];
  #partBytes = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** Bytes of the line that has not ended. */
  get pendingBytes(): number {
    return this.#partBytes;
  }

  /** The lines that end in this chunk, empty ones left out. Throws Error for a line that is too long. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      this.#check(this.#partBytes + end - start);
      const line =
        this.#parts.length > 0
          ? this.#takeParts(chunk.subarray(start, end))
          : chunk.toString("utf8", start, end);
      if (line !== "" && line !== "\r") lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#check(this.#partBytes + chunk.length - start);
      this.#parts.push(chunk.subarray(start));
      this.#partBytes += chunk.length - start;
    }
    return lines;
  }

  #takeParts(last: Buffer): string {
    const line = Buffer.concat([...this.#parts, last]).toString("utf8");
    this.#parts = [];
    this.#partBytes = 0;
    return line;
  }

  #check(bytes: number): void {
    if (bytes > this.#lineBytesMax) {
      throw new Error(`a line has more than ${this.#lineBytesMax} bytes`);
    }
  }
}
