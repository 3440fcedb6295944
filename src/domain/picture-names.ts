const picture = /[^/\\]\.(jpe?g|jpe|jfif|png|webp|avif|heic|heif|hif|gif|tiff?)$/i;

/** Whether a file is called as pictures are that can be added; by its extension alone. */
export const namesPicture = (file: string): boolean => picture.test(file);
