import { createContext, type JSX } from 'preact';
import { useContext } from 'preact/hooks';
import { hrefOf, type Go, type PageName, type Query } from '../shell/address.js';

const GoContext = createContext<Go>(() => {});
export const GoProvider = GoContext.Provider;

interface LinkProps extends Omit<JSX.HTMLAttributes<HTMLAnchorElement>, 'onClick'> {
  page?: PageName;
  collection: string;
  query?: Query;
}

/** Within the page; another tab or window is left to the browser. */
export function Link({ page = 'library', collection, query = {}, ...rest }: LinkProps) {
  const go = useContext(GoContext);
  const params = new URLSearchParams(Object.entries(query).flatMap(([name, value]) => [value ?? []].flat().map((each) => [name, each])));
  return (
    <a
      {...rest}
      href={hrefOf({ page, collection, query: params })}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go({ page, collection, query });
      }}
    />
  );
}
