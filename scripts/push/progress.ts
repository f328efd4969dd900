import { MultiBar, type SingleBar } from "cli-progress";
import type { BlobId } from "./content.ts";

/** One blob under way. */
export interface Task {
  /** What happens to it from now on, to `total` bytes. */
  phase(name: string, total: number): void;
  /** Bytes of the phase that are done. */
  set(bytes: number): void;
  /** Ends it, and says how: `pushed`, `mounted`. */
  end(outcome: string, blob: BlobId): void;
}

/** Shows how far blobs are. */
export interface Display {
  task(label: string): Task;
  /** A line among the others. */
  line(text: string): void;
  stop(): void;
}

/** Milliseconds between two lines of one blob where there is no terminal. */
const every = 10_000;
/** Characters: of `layer 12/12`, and of `there already`. */
const labelWidth = 12;
const phaseWidth = 13;
const format = "{label} {phase} [{bar}] {percentage}% of {size}";

/** Bars on a terminal, lines elsewhere; on the standard error output, since the standard output has the result. */
export function openDisplay(stream: NodeJS.WriteStream = process.stderr): Display {
  return stream.isTTY ? barDisplay(stream) : lineDisplay((text) => stream.write(`${text}\n`));
}

function barDisplay(stream: NodeJS.WriteStream): Display {
  const bars = new MultiBar({ stream, format, barsize: 24, hideCursor: false, clearOnComplete: false });
  return {
    task(label) {
      const name = label.padEnd(labelWidth);
      const bar: SingleBar = bars.create(1, 0, {
        label: name,
        phase: "waiting".padEnd(phaseWidth),
        size: "",
      });
      return {
        phase(phase, total) {
          bar.setTotal(Math.max(total, 1));
          bar.update(0, { phase: phase.padEnd(phaseWidth), size: formatBytes(total) });
        },
        set: (bytes) => bar.update(bytes),
        end(outcome, { size }) {
          bar.setTotal(1);
          bar.update(1, { phase: outcome.padEnd(phaseWidth), size: formatBytes(size) });
          bar.stop();
        },
      };
    },
    line: (text) => bars.log(`${text}\n`),
    stop: () => bars.stop(),
  };
}

/** As `openDisplay` without a terminal. */
export function lineDisplay(write: (line: string) => void): Display {
  return {
    task(label) {
      let current = { phase: "", total: 0, since: Date.now() };
      return {
        phase(phase, total) {
          current = { phase, total, since: Date.now() };
        },
        set(bytes) {
          if (Date.now() - current.since < every) return;
          current.since = Date.now();
          const percentage = current.total === 0 ? 100 : Math.floor((bytes / current.total) * 100);
          write(`${label}: ${current.phase}, ${percentage}% of ${formatBytes(current.total)}`);
        },
        end: (outcome, { size, digest }) => write(`${label}: ${outcome}, ${formatBytes(size)}, ${digest}`),
      };
    },
    line: write,
    stop() {},
  };
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A number of bytes for people, such as `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  for (; amount >= 1024 && unit < units.length - 1; unit++) amount /= 1024;
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}
