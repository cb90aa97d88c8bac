package meshgate.confluence;

import com.atlassian.confluence.user.ConfluenceAuthenticator;
import com.atlassian.seraph.config.SecurityConfig;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jwt.JWTClaimsSet;
import java.security.Principal;
import java.text.ParseException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

/**
 * Tells Confluence who sends a request, by the gateway's signed assertion. No other header gives an identity.
 *
 * <p>The person is never stored in Confluence's session: each request has an assertion of its own, so that a person who
 * signs out at the gateway is signed out here.
 */
public final class MeshgateAuthenticator extends ConfluenceAuthenticator {
    private static final long serialVersionUID = 1L;
    private static final Logger LOG = Logger.getLogger(MeshgateAuthenticator.class.getName());
    private static final String HEADER = "X-Meshgate-Assertion";
    /** Request attribute: the result, because Confluence asks several times in one request. */
    private static final String RESULT = MeshgateAuthenticator.class.getName() + ".result";
    /** Session attribute: the person to whom the session belongs. */
    private static final String OWNER = MeshgateAuthenticator.class.getName() + ".owner";

    private transient Assertions assertions;

    /** Reads the init-params of seraph-config.xml. Confluence does not start if one of them is missing. */
    @Override
    public void init(Map<String, String> params, SecurityConfig config) {
        super.init(params, config);
        assertions = new Assertions(
            required(params, "meshgate.issuer"), required(params, "meshgate.audience"), required(params, "meshgate.jwks"));
    }

    /** Returns the person of the assertion; null: an anonymous caller. */
    @Override
    public Principal getUser(HttpServletRequest request, HttpServletResponse response) {
        var known = request.getAttribute(RESULT);
        if (known != null) return (Principal) ((Optional<?>) known).orElse(null);

        var values = request.getHeaders(HEADER);
        List<String> given = values == null ? List.of() : Collections.list(values);
        // The gateway passes Authorization on only where Confluence verifies it: personal access tokens, OAuth.
        if (given.isEmpty() || request.getHeader("Authorization") != null) return super.getUser(request, response);

        var claims = given.size() == 1 ? verified(given.get(0)) : null;
        // Only a network identifies this caller, who may log in to Confluence itself: break-glass, application links.
        if (claims != null && "nobody".equals(claims.getClaim("provider"))) return super.getUser(request, response);

        var user = claims == null ? null : accountOf(claims, request);
        request.setAttribute(RESULT, Optional.ofNullable(user));
        return user;
    }

    private JWTClaimsSet verified(String assertion) {
        try {
            return assertions.verify(assertion);
        } catch (ParseException | BadJOSEException | JOSEException | RuntimeException e) {
            // Messages of these exceptions may contain parts of the assertion.
            LOG.log(Level.WARNING, "an assertion was rejected: {0}", e.getClass().getSimpleName());
            return null;
        }
    }

    /** The account of this name, if it exists and may use Confluence. A program that acts for itself has none. */
    private Principal accountOf(JWTClaimsSet claims, HttpServletRequest request) {
        if (claims.getClaim("alone") != null) return null;
        var user = getUser(claims.getSubject());
        if (user == null || !getRoleMapper().canLogin(user, request)) return null;
        claimSession(request, claims.getSubject());
        return user;
    }

    /** Ends a session of another person in the same browser, which may have the rights of an administrator. */
    private static void claimSession(HttpServletRequest request, String name) {
        var session = request.getSession(false);
        if (session == null) return;
        var owner = session.getAttribute(OWNER);
        if (session.getAttribute(LOGGED_IN_KEY) != null || owner != null && !owner.equals(name)) session.invalidate();
        else if (owner == null) session.setAttribute(OWNER, name);
    }

    private static String required(Map<String, String> params, String name) {
        var value = params.get(name);
        if (value == null || value.isBlank()) throw new IllegalArgumentException("seraph-config.xml: " + name + " is missing");
        return value.trim();
    }
}
