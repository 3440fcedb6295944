/** What a picture's file tells of how it was taken: only what it tells, and only what can be. */
export interface Exif {
  /** Make and model, the make not twice. */
  camera?: string;
  make?: string;
  model?: string;
  lens?: string;
  /** Degrees, WGS 84 (south and west negative), and metres above the sea. */
  latitude?: number;
  longitude?: number;
  altitude?: number;
  /** 1 to 8, as the file says it (CIPA DC-008, 0x0112); the picture is shown upright whatever it is. */
  orientation?: number;
  /** How far the clock of `taken_at` was from UTC, `+hh:mm` or `-hh:mm`, where the camera knew it. */
  offset?: string;
  iso?: number;
  /** The aperture: f/2.8 is 2.8. */
  f_number?: number;
  /** Seconds. */
  exposure_time?: number;
  /** Millimetres. */
  focal_length?: number;
  title?: string;
  description?: string;
  artist?: string;
  keywords?: string[];
  /** Stars, 0 to 5; -1: rejected. */
  rating?: number;
}

/** What is told of a picture beside its pixels. */
export interface Tells {
  /** When it was taken, local time of the camera: `YYYY-MM-DD[Thh:mm[:ss]]`. */
  takenAt?: string;
  /** Left out where there is nothing. */
  exif?: Exif;
}

/** In the order in which they are told; filters, orders and facets know each as `$item.exif.` and its name. */
export const exifFields = [
  'camera', 'make', 'model', 'lens', 'latitude', 'longitude', 'altitude', 'orientation', 'offset', 'iso', 'f_number', 'exposure_time', 'focal_length', 'title', 'description', 'artist', 'keywords', 'rating',
] as const satisfies readonly (keyof Exif)[];

/** Characters of a text, and keywords. */
export const exifLimits = { characters: 512, keywords: 64, keywordCharacters: 128 } as const;
