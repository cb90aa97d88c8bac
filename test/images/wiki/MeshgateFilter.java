package meshgate.confluence;

import java.io.IOException;
import java.security.Principal;
import javax.servlet.FilterChain;
import javax.servlet.FilterConfig;
import javax.servlet.ServletException;
import javax.servlet.http.HttpFilter;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletRequestWrapper;
import javax.servlet.http.HttpServletResponse;

/** Tells the wiki who the assertion names. The wiki reads this once for each of its own sessions. */
public final class MeshgateFilter extends HttpFilter {
    private transient Assertions assertions;

    @Override
    public void init(FilterConfig config) throws ServletException {
        super.init(config);
        var audience = System.getenv("MESHGATE_AUDIENCE");
        assertions = new Assertions(System.getenv("MESHGATE_ISSUER"), audience, "/etc/wiki/jwks.json");
    }

    @Override
    protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        String subject;
        try {
            subject = assertions.verify(request.getHeader("X-Meshgate-Assertion")).getSubject();
        } catch (Exception e) {
            response.sendError(HttpServletResponse.SC_FORBIDDEN, "no valid assertion");
            return;
        }
        Principal person = () -> subject;
        chain.doFilter(new HttpServletRequestWrapper(request) {
            @Override
            public Principal getUserPrincipal() {
                return person;
            }

            @Override
            public String getRemoteUser() {
                return subject;
            }
        }, response);
    }
}
