/** `exact`: the reference's own pixels. `fast`: the decoder's shrinking and resize where a picture is reduced by 2 or more. */
export const preprocessSpeeds = ['exact', 'fast'] as const;
export type PreprocessSpeed = (typeof preprocessSpeeds)[number];
