/** Above so many bytes a picture is sent smaller. */
const largestSent = 1_000_000;
/** Pixels of the long side then: more than models see. */
const longSide = 1024;

/** The same picture where it is small, or of a format that this browser cannot read. */
export async function madeSmaller(picture: Blob): Promise<Blob> {
  if (picture.size <= largestSent) return picture;
  const bitmap = await createImageBitmap(picture).catch(() => undefined);
  if (!bitmap) return picture;
  const scale = Math.min(1, longSide / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  const context = canvas.getContext('2d');
  context?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return context ? canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 }) : picture;
}

export function dataUriOf(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).replace(/^data:[^,]*?(;base64)?,/, `data:${blob.type || 'application/octet-stream'};base64,`));
    reader.onerror = () => reject(reader.error ?? new Error('The file could not be read.'));
    reader.readAsDataURL(blob);
  });
}
