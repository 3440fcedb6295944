export interface Signaled {
  signal?: AbortSignal;
}
