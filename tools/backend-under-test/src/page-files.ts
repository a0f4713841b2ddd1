/** Files as `node:fs` reads them, in a page that is served from the root of the repository: tests load what was recorded before they begin. */
export function readFileSync(url: URL): string {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.send();
  if (request.status !== 200) throw new Error(`${url}: ${request.status}`);
  return request.responseText;
}
