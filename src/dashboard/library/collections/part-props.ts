import type { Collection } from '../../../contract/collections.js';
import type { PageProps } from '../../shell/page-props.js';

/** What each part of a collection is given. */
export interface PartProps extends Pick<PageProps, 'address' | 'go'> {
  collection: Collection;
  /** Something of it has changed: the service is asked again. */
  onChanged: () => void;
}
