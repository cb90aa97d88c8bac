/** Answers a browser. It may have gone meanwhile: then `r.return` throws, and nobody is there to be told. */
export function send(r: NginxHTTPRequest, status: number, body: string): void {
  try {
    r.return(status, body);
  } catch (error) {
    ngx.log(ngx.INFO, `meshgate: a browser is not answered: ${(error as Error).message}`);
  }
}
