"""Who may do what, in the web part.

`credentials` finds out who asks, `guard` is what each route demands, `route` the class of routes
that asks for it before anything is read, and notes who changed what. `cookies`, `csrf`, `hosts` and
`headers` keep browsers honest; `log_in`, `account` and `audit` are pages, `api` the same for
programs, and `oidc` lets another server say who somebody is.
"""
