/**
 * A JPEG's marker segments (ITU-T T.81, annex B), as far as they tell what a decoder does not: kinds that are not
 * decoded, and damage behind the first rows of a scan.
 */

const marker = { sof0: 0xc0, sof1: 0xc1, dht: 0xc4, soi: 0xd8, eoi: 0xd9, sos: 0xda, dqt: 0xdb, dri: 0xdd, app0: 0xe0, app15: 0xef, com: 0xfe, dac: 0xcc, dnl: 0xdc, jpegLs: 0xf7, temporary: 0x01 };

const isRestart = (code: number): boolean => code >= 0xd0 && code <= 0xd7;
/** SOF0 to SOF15 without DHT, JPG and DAC, which stand among them. */
const isFrame = (code: number): boolean => code >= 0xc0 && code <= 0xcf && code !== marker.dht && code !== 0xc8 && code !== marker.dac;

interface Segment {
  code: number;
  /** Of its parameters; for those without any, of the byte behind it. */
  start: number;
  end: number;
}

interface Frame {
  code: number;
  precision: number;
  height: number;
  width: number;
  components: number;
  /** Blocks that are coded together in a scan of all components. */
  units: number;
}

/** Before the first scan, and where that begins. Ends early at a segment that leads out of the file. */
interface Head {
  frame: Frame | undefined;
  /** Blocks between two restart markers; 0: there are none. */
  restartInterval: number;
  /** Components in the first scan, and where its entropy-coded data begins. */
  scan: { components: number; at: number } | undefined;
}

/** Width times height of a JPEG of a usual kind; 0 of all else. */
export function jpegPixels(bytes: Uint8Array): number {
  const isJpeg = bytes[0] === 0xff && bytes[1] === marker.soi && bytes[2] === 0xff;
  const { frame } = isJpeg && unsupportedJpeg(bytes) === undefined ? readHead(bytes) : { frame: undefined };
  return frame ? frame.width * frame.height : 0;
}

/** What this JPEG is that is not decoded; undefined for one of the usual kinds. */
export function unsupportedJpeg(bytes: Uint8Array): string | undefined {
  const { frame } = readHead(bytes);
  if (frame === undefined) return undefined;
  if (frame.code === marker.jpegLs) return 'JPEG-LS';
  if ([0xc3, 0xc7, 0xcb, 0xcf].includes(frame.code)) return 'lossless coding';
  if ([0xc5, 0xc6, 0xcd, 0xce].includes(frame.code)) return 'hierarchical coding';
  if (frame.precision !== 8) return `${frame.precision} bits a sample`;
  if (![1, 3, 4].includes(frame.components)) return `${frame.components} components`;
  return undefined;
}

/**
 * Whether the file is broken behind the place where a scan's data ends early or as it should: `broken` (a marker that
 * cannot stand there), `cut` (the end is missing). A decoder that stops at its last row does not see it, and where a
 * marker stood in the middle of the scan has filled the rest with grey; the reference reads on to the end of the image
 * (libjpeg's jpeg_finish_decompress) and refuses. Only for files of a single scan: of the others decoders read every marker.
 */
export function faultBehindScan(bytes: Uint8Array): 'broken' | 'cut' | undefined {
  const { frame, scan, restartInterval } = readHead(bytes);
  if (!frame || !scan || (frame.code !== marker.sof0 && frame.code !== marker.sof1) || scan.components < frame.components) return undefined;
  let restarts = restartInterval === 0 ? 0 : Math.ceil(frame.units / restartInterval) - 1;
  for (let at = scan.at; ; ) {
    const found = nextMarker(bytes, at);
    if (found === undefined) return 'cut';
    const { code, end } = found;
    at = end;
    if (code === marker.eoi) return undefined;
    if (isRestart(code)) restarts--;
    if (isRestart(code) || code === marker.temporary) continue;
    // While there are restarts to come libjpeg looks on for them (jpeg_resync_to_restart), and leaves all other markers for the end.
    if (code < marker.sof0 && restarts > 0) continue;
    if (at + 2 > bytes.length) return 'cut';
    if (isSkipped(code)) {
      at += Math.max(2, bytes[at]! * 256 + bytes[at + 1]!);
      // The reference takes it where what it skips leads out of the file.
      if (at > bytes.length) return undefined;
      continue;
    }
    const segment = segmentAt(bytes, code, at);
    if (segment === undefined || !isTable(bytes, segment)) return 'broken';
    at = segment.end;
  }
}

function readHead(bytes: Uint8Array): Head {
  const head: Head = { frame: undefined, restartInterval: 0, scan: undefined };
  for (let at = 2; ; ) {
    const found = nextMarker(bytes, at);
    if (found === undefined || found.code === marker.eoi) return head;
    at = found.end;
    if (isRestart(found.code) || found.code === marker.temporary || found.code === marker.soi) continue;
    const segment = segmentAt(bytes, found.code, at);
    if (segment === undefined) return head;
    const { code, start, end } = segment;
    if ((isFrame(code) || code === marker.jpegLs) && end - start >= 6) head.frame ??= readFrame(bytes, segment);
    if (code === marker.dri && end - start === 2) head.restartInterval = bytes[start]! * 256 + bytes[start + 1]!;
    if (code === marker.sos) return { ...head, scan: { components: bytes[start] ?? 0, at: end } };
    at = end;
  }
}

function readFrame(bytes: Uint8Array, { code, start, end }: Segment): Frame {
  const [height, width] = [bytes[start + 1]! * 256 + bytes[start + 2]!, bytes[start + 3]! * 256 + bytes[start + 4]!];
  const components = bytes[start + 5]!;
  let [across, down] = [1, 1];
  for (let at = start + 7; at < end && components > 1; at += 3) {
    across = Math.max(across, bytes[at]! >> 4);
    down = Math.max(down, bytes[at]! & 15);
  }
  return { code, precision: bytes[start]!, height, width, components, units: Math.ceil(width / (8 * across)) * Math.ceil(height / (8 * down)) };
}

/** The next 0xff with neither a stuffed zero nor only fill bytes behind it. */
function nextMarker(bytes: Uint8Array, from: number): { code: number; end: number } | undefined {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at)) {
    while (bytes[at] === 0xff) at++;
    const code = bytes[at];
    if (code === undefined) return undefined;
    if (code !== 0) return { code, end: at + 1 };
  }
  return undefined;
}

/** Undefined where its length is none or leads out of the file. */
function segmentAt(bytes: Uint8Array, code: number, at: number): Segment | undefined {
  if (at + 2 > bytes.length) return undefined;
  const length = bytes[at]! * 256 + bytes[at + 1]!;
  return length < 2 || at + length > bytes.length ? undefined : { code, start: at + 2, end: at + length };
}

/** Whatever their parameters are. */
const isSkipped = (code: number): boolean => (code >= marker.app0 && code <= marker.app15) || code === marker.com || code === marker.dnl;

/** A table that may stand behind a scan, whole (libjpeg's jdmarker.c: get_dht, get_dqt, get_dri, get_dac). */
function isTable(bytes: Uint8Array, { code, start, end }: Segment): boolean {
  if (code === marker.dri) return end - start === 2;
  if (code === marker.dht) {
    let at = start;
    while (end - at > 16) {
      const index = bytes[at]! & 0xef;
      let count = 0;
      for (let i = 1; i <= 16; i++) count += bytes[at + i]!;
      at += 17 + count;
      if (count > 256 || at > end || index > 3) return false;
    }
    return at === end;
  }
  if (code === marker.dqt) {
    let at = start;
    while (at < end) {
      const wide = bytes[at]! >> 4 !== 0;
      if ((bytes[at]! & 15) > 3) return false;
      at += 1 + (wide ? 128 : 64);
    }
    return at === end;
  }
  return false;
}
