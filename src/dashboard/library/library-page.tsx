import '../styles/library.css';
import { useEffect } from 'preact/hooks';
import type { PageProps } from '../shell/page-props.js';
import { usePageTexts } from '../shell/navigation.js';
import { LockedProvider } from './asking.js';
import { CollectionsSection } from './collections/collections-section.js';
import { JobsSection } from './jobs/jobs-section.js';
import { KeysSection } from './keys/keys-section.js';
import { GoProvider } from './link.js';
import { ModelsSection } from './models/models-section.js';
import { SectionLinks } from './section-links.js';
import { sectionFrom, sections, useSectionTexts, type Section } from './sections.js';

const shown: Record<Section, (props: PageProps) => preact.JSX.Element> = { collections: CollectionsSection, jobs: JobsSection, models: ModelsSection, keys: KeysSection };

export default function LibraryPage(props: PageProps) {
  const { address, go, onLocked, onTitle } = props;
  const { library } = usePageTexts();
  const words = useSectionTexts();
  const section = sectionFrom(address.query);
  useEffect(() => onTitle(section === 'collections' ? undefined : words[section]), [section, words]);
  const Shown = shown[section];
  return (
    <GoProvider value={go}>
      <main class="page-library">
        <h1>{library}</h1>
        <SectionLinks label={words.sections} names={sections} words={words} chosen={section} collection={address.collection} queryOf={(name) => (name === 'collections' ? {} : { section: name })} />
        <LockedProvider value={onLocked}>
          <Shown {...props} />
        </LockedProvider>
      </main>
    </GoProvider>
  );
}
