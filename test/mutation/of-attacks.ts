import { of, type Mutation } from './mutation.js';

const json = ['test/json.test.ts'];

export const ofDoors: Mutation[] = [
  of('src/http/json/number.ts', json)('two-to-the-53-and-one', 'digits >= largestWhole && !isAtMost(bytes, firstDigit, at)', 'digits > largestWhole', 'A number is rounded to its neighbor without a word.'),
  of('src/http/json/number.ts', json)('tiny-is-zero', "value === 0 && /^[^eE]*[1-9]/.test(text)", 'false', 'A number becomes 0 without a word.'),
  of('src/operations/input/fetch-picture.ts', ['test/addresses.test.ts'])('credentials-follow-redirects', 'next.origin === before.origin', 'next.hostname === before.hostname', 'Another service of the same host is told the user name and password.'),
  of('src/operations/input/addresses.ts', ['test/addresses.test.ts'])('ipv4-compatible-is-mapped', "address.replace(/^::(?=\\d+\\.)/, '::0:')", 'address', 'An address that leads elsewhere is taken for a public one.'),
  of('src/secrets.ts', ['test/secrets.test.ts'])('secrets-in-values-kept', ' || withoutSecrets(value) !== value', '', 'A URL within a URL keeps its password.'),
  of('src/store/embedded/mark.ts', ['test/damage.test.ts'])('older-slot-believed', '(b.seq > a.seq ? b : a)', '(b.seq < a.seq ? b : a)', 'A database that lost its last transaction is taken for whole.'),
];
