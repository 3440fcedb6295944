import { z } from 'zod';
import type { Exif as Told } from '../domain/exif.js';

const text = z.string().optional();
const number = z.number().optional();

/** What a picture's file tells of how it was taken. */
export const Exif = z
  .object({
    camera: text.meta({ description: 'Make and model, the make not twice.' }),
    make: text,
    model: text,
    lens: text,
    latitude: number.meta({ description: 'Degrees, WGS 84; south is negative.' }),
    longitude: number.meta({ description: 'Degrees, WGS 84; west is negative.' }),
    altitude: number.meta({ description: 'Metres above the sea.' }),
    orientation: z.number().int().optional().meta({ description: '1 to 8, as the file says it; the picture is shown upright whatever it is.' }),
    offset: text.meta({ description: "How far the clock of `taken_at` was from UTC, `+hh:mm` or `-hh:mm`, where the camera knew it." }),
    iso: number,
    f_number: number,
    exposure_time: number.meta({ description: 'Seconds.' }),
    focal_length: number.meta({ description: 'Millimetres.' }),
    title: text,
    description: text,
    artist: text,
    keywords: z.array(z.string()).optional(),
    rating: z.number().int().optional().meta({ description: 'Stars, 0 to 5; -1: rejected.' }),
  } satisfies Record<keyof Told, z.ZodType>)
  .meta({ id: 'Exif', description: 'What the file of a picture tells of how it was taken, by EXIF, XMP and IPTC: only what it tells, and only what can be. Items taken in before this was read have none until their content is taken in anew.' });
export type Exif = z.infer<typeof Exif>;
