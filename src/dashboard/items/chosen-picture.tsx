import { useEffect, useState } from 'preact/hooks';
import type { Chosen } from './chosen.js';
import { useChosenTexts } from './chosen-words.js';
import { Picture } from './picture.js';

export function ChosenPicture({ collection, one }: { collection: string; one: Chosen }) {
  if (one.file) return <FilePicture file={one.file} />;
  if (one.item?.modality === 'text') return <blockquote class="chosen-text">{one.item.text}</blockquote>;
  return one.item ? <Picture collection={collection} item={one.item} size="thumbnail" /> : <span class="chosen-blank" aria-hidden="true" />;
}

function FilePicture({ file }: { file: File }) {
  const words = useChosenTexts();
  const [address, setAddress] = useState<string>();
  // The service reads formats that this browser does not.
  const [isUnreadable, setUnreadable] = useState(false);
  useEffect(() => {
    const created = URL.createObjectURL(file);
    setAddress(created);
    setUnreadable(false);
    return () => URL.revokeObjectURL(created);
  }, [file]);
  if (isUnreadable) return <span class="chosen-blank">{words.unreadable}</span>;
  return address ? <img src={address} alt={file.name} onError={() => setUnreadable(true)} /> : <span class="chosen-blank" />;
}
