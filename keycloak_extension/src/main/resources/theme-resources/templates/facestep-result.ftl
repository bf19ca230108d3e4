<#import "template.ftl" as layout>
<#import "buttons.ftl" as buttons>
<@layout.registrationLayout; section>
<!-- template: facestep-result.ftl -->
<#if section = "header">
    ${msg((facestepPurpose == "enrol")?then("facestepEnrolTitle", "facestepTitle"))}
<#elseif section = "form">
    <div id="facestep-hint" class="${properties.kcContentWrapperClass!} ${properties.kcMarginTopClass!} pf-v5-u-mb-md">
        <p>${msg("facestepHint")}</p>
    </div>
    <form id="facestep-result-form" class="${properties.kcFormClass!}" action="${url.loginAction}" method="post" aria-describedby="facestep-hint">
        <@buttons.actionGroup horizontal=true>
            <@buttons.button id="facestep-try-again" name="try-again" label="facestepTryAgain" autofocus="autofocus" />
            <#if isAppInitiatedAction??>
                <@buttons.button id="facestep-cancel" name="cancel-aia" label="doCancel" type="secondary" />
            </#if>
        </@buttons.actionGroup>
    </form>
</#if>
</@layout.registrationLayout>
