/** Answers. `r.return` throws if the other side has closed its connection. Then nothing is left to do.
 * @param what the other side, or its request, for the log */
export function respond(r: NginxHTTPRequest, status: number, body: string, what = 'a browser'): void {
  try {
    r.return(status, body);
  } catch (error) {
    ngx.log(ngx.INFO, `meshgate: ${what} is not answered: ${(error as Error).message}`);
  }
}
