import type { PageProps } from '../shell/page-props.js';
import { usePageTexts } from '../shell/navigation.js';

export default function LibraryPage(_: PageProps) {
  const words = usePageTexts();
  return (
    <main>
      <h1>{words.library}</h1>
    </main>
  );
}
