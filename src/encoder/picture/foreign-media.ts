/** What a file is that is no picture of a format that is read, by its first bytes; so that it is called what it is, and not broken. */

/** At least 64 bytes of the file, as Latin letters, unless it is shorter. */
type Sign = string | ((head: string) => boolean);

const at = (place: number, letters: string) => (head: string) => head.startsWith(letters, place);

/** Names with their article. */
const videos: [Sign, string][] = [
  [(head) => head.startsWith('RIFF') && head.startsWith('AVI ', 8), 'an AVI video'],
  [(head) => head.startsWith('\x1aE\xdf\xa3'), 'a Matroska or WebM video'],
  [(head) => head.startsWith('\0\0\x01\xba') || head.startsWith('\0\0\x01\xb3'), 'an MPEG video'],
  [(head) => head[0] === 'G' && head[188] === 'G' && head[376] === 'G', 'an MPEG transport stream, a video'],
  [(head) => head[4] === 'G' && head[196] === 'G' && head[388] === 'G', 'an AVCHD video'],
  ['FLV\x01', 'a Flash video'],
  ['0&\xb2u\x8ef\xcf\x11', 'a Windows Media video'],
  ['OggS\0', 'an Ogg video or sound'],
  [(head) => /^(moov|mdat|wide|free|skip|pnot)$/.test(head.slice(4, 8)), 'a QuickTime video'],
  ['.RMF', 'a RealMedia video'],
];

const pictures: [Sign, string][] = [
  ['\0\0\0\x0cjP  \r\n\x87\n', 'a JPEG 2000 picture'],
  ['\xffO\xffQ', 'a JPEG 2000 picture'],
  ['\xff\x0a', 'a JPEG XL picture'],
  ['\0\0\0\x0cJXL ', 'a JPEG XL picture'],
  ['II\xbc\x01', 'a JPEG XR picture'],
  ['8BPS', 'a Photoshop document'],
  [(head) => head.startsWith('BM') && at(6, '\0\0\0\0')(head), 'a BMP picture'],
  ['qoif', 'a QOI picture'],
  ['\0\0\x01\0', 'a Windows icon'],
  ['v/1\x01', 'an OpenEXR picture'],
  ['#?RADIANCE', 'a Radiance picture'],
  ['DDS ', 'a DirectDraw texture'],
  ['gimp xcf', 'a GIMP document'],
  ['\x8aMNG', 'an MNG animation'],
  ['\x8bJNG', 'a JNG picture'],
  ['FLIF', 'a FLIF picture'],
  ['BPG\xfb', 'a BPG picture'],
  ['SIMPLE  =', 'a FITS picture'],
  ['AT&TFORM', 'a DjVu document'],
  ['%!PS', 'a PostScript document'],
  ['\xc5\xd0\xd3\xc6', 'a PostScript document'],
  ['\xd7\xcd\xc6\x9a', 'a Windows metafile'],
  [(head) => at(40, ' EMF')(head) && head.startsWith('\x01\0\0\0'), 'a Windows metafile'],
  [(head) => /^P[1-7][\s#]/.test(head), 'a Netpbm picture'],
];

const documents: [Sign, string][] = [
  ['PK\x03\x04', 'a ZIP archive or an office document'],
  ['\x1f\x8b', 'a gzip archive'],
  ['7z\xbc\xaf', 'a 7-Zip archive'],
  ['Rar!', 'a RAR archive'],
  [at(257, 'ustar'), 'a tar archive'],
  ['\xd0\xcf\x11\xe0', 'an office document'],
  [(head) => /^ID3[\x02-\x04]/.test(head), 'a sound'],
  ['fLaC', 'a sound'],
  [(head) => head.startsWith('RIFF') && head.startsWith('WAVE', 8), 'a sound'],
];

const found = (signs: [Sign, string][], head: string): string | undefined => signs.find(([sign]) => (typeof sign === 'string' ? head.startsWith(sign) : sign(head)))?.[1];

/** `a JPEG 2000 picture`, `an AVI video`; undefined for what is not known. */
export function foreignMedia(head: string): string | undefined {
  return found(videos, head) ?? found(pictures, head) ?? found(documents, head);
}

/** HEIF's brands (ISO/IEC 23008-12, annexes) whose pictures are coded otherwise than AV1 or HEVC. */
const otherHeif: [RegExp, string][] = [
  [/^avc[is]$/, 'AVC (H.264)'],
  [/^j2(ki|is)$/, 'JPEG 2000'],
  [/^(jpeg|jpgs)$/, 'JPEG'],
  [/^(vvic|vvis)$/, 'VVC (H.266)'],
  [/^ev(bi|mi|bs|ms)$/, 'EVC'],
  [/^unif$/, 'no compression'],
  [/^(mif[12]|msf1|1pic|miaf)$/, 'an unknown kind'],
];

const videoBrands = /^(isom|iso[2-9a-c]|mp4[12v]|avc1|qt {2}|M4V |M4VH|M4VP|3g[a-z0-9]{2}|mmp4|dash|MSNV|f4v |XAVC|CAEP|niko|hvc1|dby1|cmf[c2])$/;

/** By the brands of an ISO base media file. */
export function isoMedia(brands: string[]): string {
  const [major = ''] = brands;
  const heif = otherHeif.find(([brand]) => brands.some((each) => brand.test(each)));
  if (/^M4[AB] $/.test(major)) return 'a sound';
  if (/^jpx |^jp2 |^jpm /.test(major)) return 'a JPEG 2000 picture';
  if (videoBrands.test(major)) return `a video (${major === 'qt  ' ? 'QuickTime' : 'MP4'})`;
  if (heif) return `a HEIF picture of ${heif[1]}`;
  return brands.some((brand) => videoBrands.test(brand)) ? 'a video (MP4)' : `a video or another ISO media file (brand ${JSON.stringify(major)})`;
}
