package com.atlassian.seraph.auth;

import com.atlassian.seraph.config.SecurityConfig;
import java.security.Principal;
import java.util.Map;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

/** What Seraph 4 documents, as far as the authenticator uses it: the person is in the session. */
public abstract class DefaultAuthenticator implements java.io.Serializable {
    public static final String LOGGED_IN_KEY = "seraph_defaultauthenticator_user";

    public void init(Map<String, String> params, SecurityConfig config) {}

    public Principal getUser(HttpServletRequest request, HttpServletResponse response) {
        var session = request.getSession(false);
        return session == null ? null : (Principal) session.getAttribute(LOGGED_IN_KEY);
    }

    protected abstract Principal getUser(String username);

    /** Confluence's own answers whether the account may use Confluence. */
    protected RoleMapper getRoleMapper() {
        return (user, request) -> !user.getName().equals("unlicensed");
    }
}
